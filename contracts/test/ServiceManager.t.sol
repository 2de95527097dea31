// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {PriceConsumer} from "../src/PriceConsumer.sol";
import {ServiceManager} from "../src/ServiceManager.sol";
import {Leaf} from "../src/Types.sol";
import {BombConsumer, CountingConsumer, EndlessConsumer} from "./Consumers.sol";
import {Fixture} from "./Fixture.sol";
import {vm} from "./Support.sol";

contract ServiceManagerTest is Fixture {
    uint256 private constant DELIVERY_GAS = 90_000;
    uint256 private constant DELIVERY_TIP = 20_000 gwei;
    address private constant EXECUTOR = address(60);

    function setUp() external {
        _deploy();
        vm.deal(address(this), 100 ether);
    }

    function test_registerService_isTheOwners() external {
        checkEqual(manager.owner(), address(this));
        checkEqual(manager.outbox(), address(outbox));
        checkEqual(manager.consumerOf("price"), address(consumer));
        checkEqual(manager.gasLimitOf("price"), 200_000);
        vm.expectRevert(abi.encodeWithSelector(ServiceManager.NotOwner.selector, address(5)));
        vm.prank(address(5));
        manager.registerService("price", address(consumer), 1);
    }

    function test_registerService_refusesWhatCannotReceive() external {
        vm.expectRevert(abi.encodeWithSelector(ServiceManager.NotAContract.selector, address(5)));
        manager.registerService("price", address(5), 1);
        vm.expectRevert(abi.encodeWithSelector(ServiceManager.InvalidGasLimit.selector, 0));
        manager.registerService("price", address(consumer), 0);
        vm.expectRevert(
            abi.encodeWithSelector(ServiceManager.InvalidGasLimit.selector, 10_000_001)
        );
        manager.registerService("price", address(consumer), 10_000_001);
        vm.expectRevert(abi.encodeWithSelector(ServiceManager.NotAContract.selector, address(5)));
        new ServiceManager(address(5));
    }

    function testFuzz_deposit_saysForWhomAndHowMuch(address account, uint64 amount) external {
        vm.expectEmit(address(manager));
        emit ServiceManager.Deposited(account, amount);
        manager.deposit{value: amount}(account);
        checkEqual(address(manager).balance, amount);
        checkEqual(manager.creditOf(account), 0);
    }

    function test_fund_isForKnownServices() external {
        manager.fund{value: 5}("price");
        manager.fund{value: 6}("price");
        checkEqual(manager.fundOf("price"), 11);
        vm.expectRevert(
            abi.encodeWithSelector(ServiceManager.UnknownService.selector, bytes32("other"))
        );
        manager.fund{value: 5}("other");
    }

    function test_deliver_isTheOutboxes() external {
        vm.expectRevert(abi.encodeWithSelector(ServiceManager.NotOutbox.selector, address(this)));
        manager.deliver(_leaf("price"), EXECUTOR);
    }

    function test_deliver_paysTheExecutorFromTheFund() external {
        uint256 pay = (DELIVERY_GAS + 200_000) * 1 gwei + DELIVERY_TIP;
        manager.fund{value: pay + pay / 2}("price");
        check(_deliver(_leaf("price")), "taken");
        checkEqual(manager.creditOf(EXECUTOR), pay);
        checkEqual(manager.fundOf("price"), pay / 2);

        Leaf memory next = _priceLeaf(8, 1, 1);
        check(_deliver(next), "too small a fund stops no delivery");
        checkEqual(manager.creditOf(EXECUTOR), pay);
        checkEqual(manager.fundOf("price"), pay / 2);

        manager.claim(payable(EXECUTOR));
        checkEqual(EXECUTOR.balance, pay);
        checkEqual(manager.creditOf(EXECUTOR), 0);
        checkEqual(address(manager).balance, pay / 2);
    }

    function test_deliver_survivesEveryConsumer() external {
        _use(address(new EndlessConsumer()), 300_000);
        check(!_deliver(_leaf("price")), "burns its gas");
        _use(address(new BombConsumer()), 3_000_000);
        uint256 before = gasleft();
        check(!_deliver(_leaf("price")), "returns a megabyte");
        check(before - gasleft() < 3_000_000, "which nobody copies");
        CountingConsumer counting = new CountingConsumer();
        _use(address(counting), 100_000);
        vm.etch(address(counting), "");
        check(!_deliver(_leaf("price")), "has no code any more");
    }

    /// @dev At every amount of gas: either the consumer had its whole limit, or nothing happened.
    /// The limit is large, so that the 1/64 which a call holds back is more than small change.
    function testFuzz_deliver_cannotStarveTheConsumer(uint256 gas_) external {
        CountingConsumer counting = new CountingConsumer();
        uint32 limit = 6_400_000;
        _use(address(counting), limit);
        gas_ = within(gas_, limit - 50_000, limit + 250_000);
        vm.prank(address(outbox));
        try manager.deliver{gas: gas_}(_leaf("price"), EXECUTOR) returns (bool success) {
            check(success, "the consumer succeeded");
            checkEqual(counting.calls(), 1);
            // What is left when its first line runs, after it has read its call data.
            check(counting.gasGiven() > limit - 5_000, "it had its limit");
        } catch {
            checkEqual(counting.calls(), 0);
            check(gas_ < limit + 160_000, "refused only for too little gas");
        }
    }

    function test_deliver_saysThatTheGasIsTooLittle() external {
        vm.expectRevert(abi.encodeWithSelector(ServiceManager.NotEnoughGas.selector, 200_000));
        vm.prank(address(outbox));
        manager.deliver{gas: 200_000}(_leaf("price"), EXECUTOR);
    }

    function test_onResult_isTheManagers() external {
        vm.expectRevert(abi.encodeWithSelector(PriceConsumer.NotManager.selector, address(this)));
        consumer.onResult(_leaf("price"));
    }

    function test_onResult_refusesWhatIsNoPrice() external {
        Leaf memory leaf = _leaf("other");
        _refuse(
            leaf, abi.encodeWithSelector(PriceConsumer.NotAPrice.selector, bytes32("other"), 0)
        );
        leaf = _leaf("price");
        leaf.kind = 1;
        _refuse(
            leaf, abi.encodeWithSelector(PriceConsumer.NotAPrice.selector, bytes32("price"), 1)
        );
        leaf = _priceLeaf(1, 5, 0);
        _refuse(leaf, abi.encodeWithSelector(PriceConsumer.InvalidTime.selector, 0));
    }

    function test_onResult_keepsOneResultPerTask() external {
        Leaf memory leaf = _leaf("price");
        check(_deliver(leaf), "the first");
        leaf.index = 2;
        check(!_deliver(leaf), "a second for the same task");
        (int256 price, uint64 time) = consumer.resultOf(leaf.subject);
        check(price == -7 && time == START, "the first stays");
    }

    /// @dev Whatever the order of arrival, the latest time wins, or the later leaf of a second.
    function testFuzz_priceOf_isTheLatestInAnyOrder(uint8[8] calldata times, uint256 seed)
        external
    {
        uint256 best = 0;
        uint256[8] memory order;
        for (uint256 i = 0; i < 8; i++) {
            if (times[i] >= times[best]) best = i;
            order[i] = i;
        }
        for (uint256 i = 7; i > 0; i--) {
            uint256 j = uint256(keccak256(abi.encode(seed, i))) % (i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        for (uint256 i = 0; i < 8; i++) {
            uint256 k = order[i];
            check(_deliver(_priceLeaf(uint64(k), int256(k), 1 + uint64(times[k]))), "taken");
        }
        (int256 price, uint64 time, bytes32 task) = consumer.priceOf("ETH-USD");
        checkEqual(uint256(price), best);
        checkEqual(time, 1 + uint64(times[best]));
        checkEqual(task, keccak256(abi.encode("task", uint64(best))));
    }

    function _leaf(bytes32 service) private pure returns (Leaf memory leaf) {
        leaf = _priceLeaf(1, -7, START);
        leaf.service = service;
    }

    function _use(address account, uint32 gasLimit) private {
        manager.registerService("price", account, gasLimit);
    }

    function _deliver(Leaf memory leaf) private returns (bool) {
        vm.prank(address(outbox));
        return manager.deliver(leaf, EXECUTOR);
    }

    function _refuse(Leaf memory leaf, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(address(manager));
        consumer.onResult(leaf);
    }
}
