// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Checkpoint, Leaf} from "../src/Types.sol";
import {BombConsumer} from "./Consumers.sol";
import {Fixture} from "./Fixture.sol";
import {Schnorr} from "./Schnorr.sol";
import {Test, vm, Vm} from "./Support.sol";
import {Tree} from "./Tree.sol";

/// @dev Plays submitters, executors, clients and claimers at random, and keeps the books of what
/// should have happened. Its calls may be refused; what it counts comes from events and returns.
contract Players is Fixture {
    bytes32 private constant EXECUTED =
        keccak256("LeafExecuted(uint64,bytes32,bytes32,bool,address)");
    bytes32 private constant RECORDED =
        keccak256("CheckpointRecorded(uint64,uint64,bytes32,uint16,uint8,address,uint64,uint256)");

    Leaf[] private _leaves;
    Checkpoint[] private _recorded;
    address[3] private _executors = [address(60), address(61), address(62)];
    mapping(uint64 leaf => uint256 times) public executions;
    uint64 public highestIndex;
    bool public indexFell;
    uint256 public submissionPay;
    uint256 public outboxFunded;
    uint256 public outboxClaimed;
    uint256 public managerPaidIn;
    uint256 public managerClaimed;
    uint256 public deposited;

    constructor() {
        _deploy();
        manager.registerService("bomb", address(new BombConsumer()), 100_000);
        manager.fund{value: 0}("price");
        vm.deal(address(this), 1e30);
    }

    function addLeaves(uint8 count) external {
        for (uint256 i = 0; i < within(count, 1, 4); i++) {
            uint64 index = uint64(_leaves.length);
            Leaf memory leaf = _priceLeaf(index, 5, index + 1);
            if (index % 3 == 1) leaf.service = "bomb";
            if (index % 5 == 4) leaf.kind = 1;
            _leaves.push(leaf);
        }
    }

    /// @dev Any index around the last one, sometimes with a stale size; by any operator.
    function submit(uint8 ahead, uint16 operator, uint8 missing, uint32 later) external {
        if (_leaves.length == 0) return;
        vm.warp(START + within(later, 0, 5 * WINDOW));
        uint256 size = _leaves.length;
        if (missing < 32 && size > missing) size -= missing;
        uint256 next = uint256(outbox.lastIndex()) + within(ahead, 0, 300);
        Checkpoint memory c = _checkpoint(uint64(next), uint64(size), Tree.rootOf(_prefix(size)));
        operator = uint16(within(operator, 1, OPERATORS));
        Schnorr.Signature memory s = _sign(outbox.checkpointMessage(c));
        vm.recordLogs();
        vm.prank(_submitter(operator));
        try outbox.submit(c, s.rx, s.ry, s.z, operator) returns (bool recorded) {
            if (recorded) _recorded.push(c);
        } catch {}
        _readLogs();
    }

    function execute(uint256 leafSeed, uint256 checkpointSeed, uint8 by, uint24 gas_) external {
        if (_recorded.length == 0) return;
        Checkpoint memory c = _recorded[checkpointSeed % _recorded.length];
        uint64 index = uint64(leafSeed % c.size);
        bytes32[] memory path = Tree.pathOf(_prefix(c.size), index);
        vm.recordLogs();
        vm.prank(_executors[by % 3]);
        try outbox.execute{gas: within(gas_, 50_000, 3_000_000)}(
            _leaves[index], path, c.index, c.size, c.root
        ) {}
            catch {}
        _readLogs();
    }

    function executeMany(uint256 checkpointSeed, uint8 by) external {
        if (_recorded.length == 0) return;
        Checkpoint memory c = _recorded[checkpointSeed % _recorded.length];
        uint256 count = c.size < 3 ? c.size : 3;
        Leaf[] memory leaves = new Leaf[](count + 1);
        bytes32[][] memory paths = new bytes32[][](count + 1);
        for (uint256 i = 0; i <= count; i++) {
            // The last one repeats the first.
            leaves[i] = _leaves[i % count];
            paths[i] = Tree.pathOf(_prefix(c.size), i % count);
        }
        vm.recordLogs();
        vm.prank(_executors[by % 3]);
        try outbox.executeMany(leaves, paths, c.index, c.size, c.root) {} catch {}
        _readLogs();
    }

    function fundOutbox(uint48 amount) external {
        (bool sent,) = address(outbox).call{value: amount}("");
        check(sent, "funding is never refused");
        outboxFunded += amount;
    }

    function fundService(uint56 amount) external {
        manager.fund{value: amount}("price");
        managerPaidIn += amount;
    }

    function deposit(uint56 amount) external {
        manager.deposit{value: amount}(address(9));
        managerPaidIn += amount;
        deposited += amount;
    }

    function claim(uint16 operator, uint8 executor) external {
        address payable submitter = payable(_submitter(uint16(within(operator, 1, OPERATORS))));
        uint256 before = submitter.balance;
        outbox.claim(submitter);
        outboxClaimed += submitter.balance - before;
        address payable account = payable(_executors[executor % 3]);
        before = account.balance;
        manager.claim(account);
        managerClaimed += account.balance - before;
    }

    function setBaseFee(uint40 fee) external {
        vm.fee(fee);
    }

    function outboxCredits() external view returns (uint256 sum) {
        for (uint16 i = 1; i <= OPERATORS; i++) {
            sum += outbox.creditOf(_submitter(i));
        }
    }

    function managerCredits() external view returns (uint256 sum) {
        for (uint256 i = 0; i < 3; i++) {
            sum += manager.creditOf(_executors[i]);
        }
    }

    function outboxBalance() external view returns (uint256) {
        return address(outbox).balance;
    }

    function managerBalance() external view returns (uint256) {
        return address(manager).balance;
    }

    function fundsLeft() external view returns (uint256) {
        return manager.fundOf("price") + manager.fundOf("bomb");
    }

    function recordedCount() external view returns (uint256) {
        return _recorded.length;
    }

    function leafCount() external view returns (uint64) {
        return uint64(_leaves.length);
    }

    function isExecuted(uint64 leaf) external view returns (bool) {
        return outbox.isExecuted(leaf);
    }

    function lastMatches() external view returns (bool) {
        if (_recorded.length == 0) return outbox.lastIndex() == 0 && outbox.lastSize() == 0;
        Checkpoint memory c = _recorded[_recorded.length - 1];
        return outbox.lastIndex() == c.index && outbox.lastSize() == c.size;
    }

    /// @dev A recorded checkpoint is in the ring exactly while no later one took its place.
    function ringMatches() external view returns (bool) {
        for (uint256 i = 0; i < _recorded.length; i++) {
            Checkpoint memory c = _recorded[i];
            bool replaced = false;
            for (uint256 j = i + 1; j < _recorded.length; j++) {
                if (_recorded[j].index % 256 == c.index % 256) replaced = true;
            }
            if (outbox.isRecorded(c.index, c.size, c.root) == replaced) return false;
        }
        return true;
    }

    function _readLogs() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].topics[0] == EXECUTED) executions[uint64(uint256(logs[i].topics[1]))]++;
            if (logs[i].topics[0] == RECORDED) {
                uint64 index = uint64(uint256(logs[i].topics[1]));
                if (index <= highestIndex) indexFell = true;
                highestIndex = index;
                (,,,,,, uint256 pay) = abi.decode(
                    logs[i].data, (uint64, bytes32, uint16, uint8, address, uint64, uint256)
                );
                submissionPay += pay;
            }
        }
    }

    function _prefix(uint256 size) private view returns (bytes32[] memory hashes) {
        hashes = new bytes32[](size);
        for (uint256 i = 0; i < size; i++) {
            hashes[i] = keccak256(abi.encode(_leaves[i]));
        }
    }
}

contract InvariantsTest is Test {
    Players private _players;

    function setUp() external {
        _players = new Players();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_players);
    }

    /// @dev The invariants would hold of players who never get anything done.
    function test_players_getThingsDone() external {
        uint256 executed = 0;
        for (uint256 i = 0; i < 40; i++) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            _players.addLeaves(uint8(seed));
            _players.submit(
                uint8(seed >> 8), uint16(seed >> 16), uint8(seed >> 32), uint32(seed >> 40)
            );
            _players.execute(seed >> 80, seed >> 120, uint8(seed), uint24(seed >> 160));
            _players.executeMany(seed >> 120, uint8(seed));
            _players.fundService(uint56(seed));
            _players.fundOutbox(uint48(seed));
            _players.claim(uint16(seed), uint8(seed));
        }
        for (uint64 i = 0; i < _players.leafCount(); i++) {
            executed += _players.executions(i);
        }
        check(_players.recordedCount() > 10, "checkpoints are recorded");
        check(executed > 10, "leaves are executed");
        check(_players.outboxClaimed() > 0, "submitters are paid");
        check(_players.managerClaimed() > 0, "executors are paid");
    }

    function invariant_outboxCreditIsConserved() external view {
        checkEqual(_players.outboxCredits() + _players.outboxClaimed(), _players.submissionPay());
        checkEqual(_players.outboxBalance() + _players.outboxClaimed(), _players.outboxFunded());
    }

    /// @dev Deposits are never touched: what deliveries pay comes from the funds alone.
    function invariant_managerMoneyIsConserved() external view {
        uint256 held = _players.managerBalance();
        checkEqual(held + _players.managerClaimed(), _players.managerPaidIn());
        checkEqual(held, _players.deposited() + _players.fundsLeft() + _players.managerCredits());
    }

    function invariant_indicesOnlyRise() external view {
        check(!_players.indexFell(), "each recorded index is above the last");
        check(_players.lastMatches(), "the last recorded one is the contract's last");
    }

    function invariant_noLeafIsExecutedTwice() external view {
        for (uint64 i = 0; i < _players.leafCount(); i++) {
            check(_players.executions(i) < 2, "at most once");
            check(_players.isExecuted(i) == (_players.executions(i) == 1), "marked when executed");
        }
    }

    function invariant_ringHoldsTheLatestOfEachPlace() external view {
        check(_players.ringMatches(), "recorded until replaced");
    }
}
