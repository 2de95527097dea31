// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Outbox} from "../src/Outbox.sol";
import {Checkpoint, Leaf, OperatorAccount} from "../src/Types.sol";
import {Fixture} from "./Fixture.sol";
import {Schnorr} from "./Schnorr.sol";
import {vm} from "./Support.sol";
import {Vectors} from "./vectors/Vectors.sol";

contract OutboxDeployTest is Fixture {
    function setUp() external {
        _deploy();
    }

    function test_constructor_registersKeyAndOperators() external view {
        (uint256 x, uint8 parity) = outbox.groupKey();
        checkEqual(x, group.x);
        checkEqual(parity, group.parity);
        for (uint16 i = 1; i <= OPERATORS; i++) {
            checkEqual(outbox.submitterOf(i), _submitter(i));
            checkEqual(outbox.ledgerOf(i), vm.addr(_ledgerSecret(i)));
        }
        checkEqual(outbox.submitterOf(OPERATORS + 1), address(0));
        checkEqual(outbox.lastIndex(), 0);
    }

    function test_constructor_refusesAKeyThatCannotBeVerified() external {
        (uint256 x,) = Vectors.unverifiableKey();
        vm.expectRevert(abi.encodeWithSelector(Outbox.InvalidGroupKey.selector, x, 0));
        new Outbox(x, 0, 1, 1, 1, _operators(), TIP);
        vm.expectRevert(abi.encodeWithSelector(Outbox.InvalidGroupKey.selector, group.x, 2));
        new Outbox(group.x, 2, 1, 1, 1, _operators(), TIP);
    }

    function test_constructor_refusesAProofForAnotherAddress() external {
        Schnorr.Signature memory s = _sign(_possessionMessage(address(outbox)));
        vm.expectRevert(Outbox.InvalidProofOfPossession.selector);
        new Outbox(group.x, group.parity, s.rx, s.ry, s.z, _operators(), TIP);
    }

    function test_constructor_refusesBadOperators() external {
        OperatorAccount[] memory accounts = _operators();
        accounts[3].operator = 0;
        _refuseOperators(accounts, abi.encodeWithSelector(Outbox.InvalidOperator.selector, 0));
        accounts[3].operator = 1;
        _refuseOperators(accounts, abi.encodeWithSelector(Outbox.InvalidOperator.selector, 1));
        accounts = _operators();
        accounts[2].submitter = address(0);
        _refuseOperators(accounts, abi.encodeWithSelector(Outbox.ZeroAddress.selector));
        accounts = _operators();
        accounts[2].ledger = address(0);
        _refuseOperators(accounts, abi.encodeWithSelector(Outbox.ZeroAddress.selector));
    }

    function test_constructor_fillsTheRingWithoutRecordingAnything() external view {
        for (uint64 i = 0; i < 256; i++) {
            check(!outbox.isRecorded(i, 0, 0), "nothing is recorded");
        }
    }

    /// @dev What src/records computes and real shares sign is what the contract takes.
    function test_records_agreeWithTheContract() external {
        Vectors.Signed memory proof = Vectors.possession();
        OperatorAccount[] memory accounts = new OperatorAccount[](1);
        accounts[0] = OperatorAccount(3, address(7), address(8));
        vm.prank(Vectors.DEPLOYER);
        Outbox other =
            new Outbox(proof.x, proof.parity, proof.rx, proof.ry, proof.z, accounts, TIP);

        Vectors.Signed memory s = Vectors.checkpoint();
        Checkpoint memory c =
            Checkpoint(7, 300, sha256("root"), START, WINDOW, 0x0003_0001_ffff_0000);
        checkEqual(other.checkpointMessage(c), Vectors.CHECKPOINT_MESSAGE);
        vm.prank(address(8));
        check(other.submit(c, s.rx, s.ry, s.z, 3), "the certificate is taken");

        bytes memory body = abi.encode(bytes32("ETH-USD"), int256(-314), uint64(START + 1));
        Leaf memory leaf = Leaf(299, "price", 0, sha256("task"), 2, 3, 4, 100 ether, body);
        check(
            other.verifyInclusion(
                Leaf(0, leaf.service, 0, leaf.subject, 2, 3, 4, 100 ether, body),
                new bytes32[](0),
                1,
                keccak256(
                    abi.encode(Leaf(0, leaf.service, 0, leaf.subject, 2, 3, 4, 100 ether, body))
                )
            ),
            "a tree of one leaf"
        );
        checkEqual(keccak256(abi.encode(leaf)), Vectors.LEAF_HASH);
    }

    function test_setServiceManager_isTheDeployersOnce() external {
        vm.expectRevert(Outbox.ServiceManagerAlreadySet.selector);
        outbox.setServiceManager(address(1));

        Outbox fresh = _fresh();
        vm.expectRevert(abi.encodeWithSelector(Outbox.NotDeployer.selector, address(5)));
        vm.prank(address(5));
        fresh.setServiceManager(address(1));
        vm.expectRevert(Outbox.ZeroAddress.selector);
        fresh.setServiceManager(address(0));
        fresh.setServiceManager(address(1));
        checkEqual(fresh.serviceManager(), address(1));
    }

    function test_setSubmitter_isTheLedgerKeysOrTheSubmitters() external {
        vm.prank(_submitter(1));
        outbox.setSubmitter(1, address(11));
        checkEqual(outbox.submitterOf(1), address(11));

        vm.expectRevert(abi.encodeWithSelector(Outbox.NotOperator.selector, 1, _submitter(1)));
        vm.prank(_submitter(1));
        outbox.setSubmitter(1, address(12));

        vm.prank(vm.addr(_ledgerSecret(1)));
        outbox.setSubmitter(1, address(13));
        checkEqual(outbox.submitterOf(1), address(13));

        vm.expectRevert(Outbox.ZeroAddress.selector);
        vm.prank(address(13));
        outbox.setSubmitter(1, address(0));
    }

    function testFuzz_setSubmitter_refusesStrangers(address stranger, uint16 operator) external {
        vm.assume(stranger != address(0));
        vm.assume(stranger != outbox.submitterOf(operator));
        vm.assume(stranger != outbox.ledgerOf(operator));
        vm.expectRevert(abi.encodeWithSelector(Outbox.NotOperator.selector, operator, stranger));
        vm.prank(stranger);
        outbox.setSubmitter(operator, stranger);
    }

    function _fresh() private returns (Outbox) {
        address at = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        Schnorr.Signature memory s = _sign(_possessionMessage(at));
        return new Outbox(group.x, group.parity, s.rx, s.ry, s.z, _operators(), TIP);
    }

    function _refuseOperators(OperatorAccount[] memory accounts, bytes memory reason) private {
        address at = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        Schnorr.Signature memory s = _sign(_possessionMessage(at));
        vm.expectRevert(reason);
        new Outbox(group.x, group.parity, s.rx, s.ry, s.z, accounts, TIP);
    }
}
