// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Outbox} from "../src/Outbox.sol";
import {ServiceManager} from "../src/ServiceManager.sol";
import {Checkpoint, Leaf} from "../src/Types.sol";
import {CountingConsumer, ReenteringConsumer} from "./Consumers.sol";
import {Fixture} from "./Fixture.sol";
import {Schnorr} from "./Schnorr.sol";
import {vm} from "./Support.sol";
import {Tree} from "./Tree.sol";

contract OutboxExecuteTest is Fixture {
    function setUp() external {
        _deploy();
    }

    function test_execute_deliversEachLeafByProof() external {
        Leaf[] memory leaves = _leaves(5);
        Checkpoint memory c = _record(1, leaves);
        for (uint64 i = 0; i < 5; i++) {
            vm.expectEmit(address(outbox));
            emit Outbox.LeafExecuted(i, "price", leaves[i].subject, true, address(60));
            vm.prank(address(60));
            check(_execute(leaves, i, c), "taken");
            check(outbox.isExecuted(i), "marked");
        }
        (int256 price, uint64 time, bytes32 task) = consumer.priceOf("ETH-USD");
        checkEqual(uint256(price), 104);
        checkEqual(time, START + 4);
        checkEqual(task, leaves[4].subject);
        check(!outbox.isExecuted(5), "no other");
    }

    function test_execute_twiceIsRefused() external {
        Leaf[] memory leaves = _leaves(2);
        Checkpoint memory c = _record(1, leaves);
        _execute(leaves, 1, c);
        bytes32[] memory path = _path(leaves, 1);
        vm.expectRevert(abi.encodeWithSelector(Outbox.AlreadyExecuted.selector, 1));
        outbox.execute(leaves[1], path, c.index, c.size, c.root);
    }

    function test_execute_underALaterRootIsStillOnce() external {
        Leaf[] memory leaves = _leaves(2);
        _execute(leaves, 1, _record(1, leaves));
        Leaf[] memory more = _leaves(3);
        Checkpoint memory later = _record(2, more);
        bytes32[] memory path = _path(more, 1);
        vm.expectRevert(abi.encodeWithSelector(Outbox.AlreadyExecuted.selector, 1));
        outbox.execute(more[1], path, later.index, later.size, later.root);
        check(_execute(more, 2, later), "the new leaf");
    }

    function test_execute_underAnOlderRootInTheRing() external {
        Leaf[] memory leaves = _leaves(2);
        Checkpoint memory older = _record(1, leaves);
        _record(2, _leaves(9));
        check(_execute(leaves, 0, older), "older roots prove too");
    }

    function test_execute_refusesWhatIsNotProven() external {
        Leaf[] memory leaves = _leaves(3);
        Checkpoint memory c = _record(1, leaves);
        bytes32[] memory path = _path(leaves, 1);

        vm.expectRevert(abi.encodeWithSelector(Outbox.NotRecorded.selector, 2));
        outbox.execute(leaves[1], path, 2, c.size, c.root);
        vm.expectRevert(abi.encodeWithSelector(Outbox.NotRecorded.selector, 1));
        outbox.execute(leaves[1], path, c.index, c.size + 1, c.root);
        vm.expectRevert(abi.encodeWithSelector(Outbox.NotRecorded.selector, 1));
        outbox.execute(leaves[1], path, c.index, c.size, ~c.root);

        Leaf memory bent = _priceLeaf(1, 999, START);
        vm.expectRevert(abi.encodeWithSelector(Outbox.NotIncluded.selector, 1));
        outbox.execute(bent, path, c.index, c.size, c.root);
        vm.expectRevert(abi.encodeWithSelector(Outbox.NotIncluded.selector, 2));
        outbox.execute(leaves[2], path, c.index, c.size, c.root);
        check(!outbox.isExecuted(1) && !outbox.isExecuted(2), "nothing is marked");
    }

    function test_execute_refusesBlocks() external {
        Leaf[] memory leaves = _leaves(1);
        leaves[0].kind = 1;
        Checkpoint memory c = _record(1, leaves);
        vm.expectRevert(abi.encodeWithSelector(Outbox.NotExecutable.selector, 1));
        outbox.execute(leaves[0], new bytes32[](0), c.index, c.size, c.root);
        check(outbox.verifyInclusion(leaves[0], new bytes32[](0), c.size, c.root), "but provable");
    }

    function test_execute_needsAServiceManager() external {
        address at = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        Schnorr.Signature memory s = _sign(_possessionMessage(at));
        outbox = new Outbox(group.x, group.parity, s.rx, s.ry, s.z, _operators(), TIP);
        Leaf[] memory leaves = _leaves(1);
        Checkpoint memory c = _record(1, leaves);
        vm.expectRevert(Outbox.ServiceManagerNotSet.selector);
        outbox.execute(leaves[0], new bytes32[](0), c.index, c.size, c.root);
        check(!outbox.isExecuted(0), "the leaf waits");
    }

    function test_execute_aFailingLeafBlocksNothing() external {
        Leaf[] memory leaves = _leaves(3);
        leaves[1].body = "no price";
        Checkpoint memory c = _record(1, leaves);
        vm.expectEmit(address(outbox));
        emit Outbox.LeafExecuted(1, "price", leaves[1].subject, false, address(this));
        check(!_execute(leaves, 1, c), "failed");
        check(outbox.isExecuted(1), "and done");
        check(_execute(leaves, 2, c) && _execute(leaves, 0, c), "the others are taken");
    }

    function test_execute_anUnknownServicesLeafWaits() external {
        Leaf[] memory leaves = _leaves(1);
        leaves[0].service = "later";
        Checkpoint memory c = _record(1, leaves);
        vm.expectRevert(
            abi.encodeWithSelector(ServiceManager.UnknownService.selector, bytes32("later"))
        );
        outbox.execute(leaves[0], new bytes32[](0), c.index, c.size, c.root);
        manager.registerService("later", address(new CountingConsumer()), 100_000);
        check(_execute(leaves, 0, c), "once it is registered");
    }

    function test_execute_aConsumerCannotComeBackForItsLeaf() external {
        ReenteringConsumer reentering = new ReenteringConsumer(outbox);
        manager.registerService("price", address(reentering), 500_000);
        Leaf[] memory leaves = _leaves(1);
        Checkpoint memory c = _record(1, leaves);
        reentering.prepare(c.index, c.size, c.root);
        check(_execute(leaves, 0, c), "taken");
        check(reentering.refused(), "refused inside");
    }

    function test_executeMany_passesOverWhatIsDone() external {
        Leaf[] memory leaves = _leaves(4);
        Checkpoint memory c = _record(1, leaves);
        _execute(leaves, 2, c);
        bytes32[][] memory paths = new bytes32[][](4);
        for (uint256 i = 0; i < 4; i++) {
            paths[i] = _path(leaves, i);
        }
        vm.recordLogs();
        outbox.executeMany(leaves, paths, c.index, c.size, c.root);
        // Three leaves, each: PriceUpdated, ResultDelivered, LeafExecuted.
        checkEqual(vm.getRecordedLogs().length, 9);
        for (uint64 i = 0; i < 4; i++) {
            check(outbox.isExecuted(i), "all are done");
        }
        outbox.executeMany(leaves, paths, c.index, c.size, c.root);
        checkEqual(vm.getRecordedLogs().length, 0);
    }

    function test_executeMany_refusesUnequalLengthsAndUnknownRoots() external {
        Leaf[] memory leaves = _leaves(2);
        Checkpoint memory c = _record(1, leaves);
        vm.expectRevert(Outbox.LengthMismatch.selector);
        outbox.executeMany(leaves, new bytes32[][](1), c.index, c.size, c.root);
        vm.expectRevert(abi.encodeWithSelector(Outbox.NotRecorded.selector, 3));
        outbox.executeMany(leaves, new bytes32[][](2), 3, c.size, c.root);
    }

    function testFuzz_execute_anyLeafOfAnyTree(uint256 seed, uint8 size) external {
        Leaf[] memory leaves = _leaves(uint64(within(size, 1, 20)));
        for (uint256 i = 0; i < leaves.length; i++) {
            leaves[i].subject = keccak256(abi.encode(seed, i));
        }
        Checkpoint memory c = _record(uint64(within(seed, 1, 1e9)), leaves);
        uint64 index = uint64(seed % leaves.length);
        check(_execute(leaves, index, c), "taken");
        for (uint64 i = 0; i < leaves.length; i++) {
            check(outbox.isExecuted(i) == (i == index), "only this one is marked");
        }
    }

    function test_isExecuted_marksOneBit() external {
        Leaf[] memory leaves = _leaves(300);
        Checkpoint memory c = _record(1, leaves);
        _execute(leaves, 255, c);
        _execute(leaves, 256, c);
        for (uint64 i = 0; i < 600; i++) {
            check(outbox.isExecuted(i) == (i == 255 || i == 256), "only these two");
        }
    }

    function _leaves(uint64 count) private pure returns (Leaf[] memory leaves) {
        leaves = new Leaf[](count);
        for (uint64 i = 0; i < count; i++) {
            leaves[i] = _priceLeaf(i, int256(uint256(100 + i)), START + i);
        }
    }

    function _execute(Leaf[] memory leaves, uint64 index, Checkpoint memory c)
        private
        returns (bool)
    {
        return outbox.execute(leaves[index], _path(leaves, index), c.index, c.size, c.root);
    }
}
