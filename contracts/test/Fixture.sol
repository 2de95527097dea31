// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Outbox} from "../src/Outbox.sol";
import {PriceConsumer} from "../src/PriceConsumer.sol";
import {ServiceManager} from "../src/ServiceManager.sol";
import {Checkpoint, Leaf, OperatorAccount} from "../src/Types.sol";
import {Schnorr} from "./Schnorr.sol";
import {Test, vm} from "./Support.sol";
import {Tree} from "./Tree.sol";

/// @dev Deploys the contracts under a group key, and signs checkpoints with it.
abstract contract Fixture is Test {
    uint256 internal constant GROUP_SECRET = 0xD15C0;
    uint256 internal constant TIP = 1e12;
    uint256 internal constant SUBMISSION_GAS = 60_000;
    uint64 internal constant START = 1_700_000_000;
    uint32 internal constant WINDOW = 24;
    /// @dev Places 0, 1, 2: operators 1, 2, 3; operators 4 to 6 are not named.
    uint64 internal constant NAMED = 0x0001_0002_0003_0000;
    uint16 internal constant OPERATORS = 6;

    Schnorr.Key internal group;
    Outbox internal outbox;
    ServiceManager internal manager;
    PriceConsumer internal consumer;
    uint256 private _nonce = 1;

    function _deploy() internal {
        group = Schnorr.keyOf(GROUP_SECRET);
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        Schnorr.Signature memory proof = _sign(_possessionMessage(predicted));
        outbox = new Outbox(group.x, group.parity, proof.rx, proof.ry, proof.z, _operators(), TIP);
        checkEqual(address(outbox), predicted);
        manager = new ServiceManager(address(outbox));
        outbox.setServiceManager(address(manager));
        consumer = new PriceConsumer(address(manager));
        manager.registerService("price", address(consumer), 200_000);
        vm.warp(START);
        vm.fee(1 gwei);
    }

    function _possessionMessage(address at) internal view returns (bytes32) {
        return keccak256(abi.encode(keccak256("NodeOP proof of possession v1"), block.chainid, at));
    }

    /// @dev Secret of an operator's ledger key; its submitter is `_submitter`.
    function _ledgerSecret(uint16 operator) internal pure returns (uint256) {
        return 1000 + operator;
    }

    function _submitter(uint16 operator) internal pure returns (address) {
        return vm.addr(_submitterSecret(operator));
    }

    function _submitterSecret(uint16 operator) internal pure returns (uint256) {
        return 2000 + operator;
    }

    function _operators() internal pure returns (OperatorAccount[] memory accounts) {
        accounts = new OperatorAccount[](OPERATORS);
        for (uint16 i = 1; i <= OPERATORS; i++) {
            accounts[i - 1] = OperatorAccount(i, vm.addr(_ledgerSecret(i)), _submitter(i));
        }
    }

    /// @dev A signature with a nonce of its own.
    function _sign(bytes32 message) internal returns (Schnorr.Signature memory) {
        return Schnorr.sign(group, message, uint256(keccak256(abi.encode("nonce", _nonce++))));
    }

    function _checkpoint(uint64 index, uint64 size, bytes32 root)
        internal
        pure
        returns (Checkpoint memory)
    {
        return Checkpoint(index, size, root, START, WINDOW, NAMED);
    }

    /// @dev Signs and submits, as the operator's submitter.
    function _submit(Checkpoint memory checkpoint, uint16 operator) internal returns (bool) {
        Schnorr.Signature memory s = _sign(outbox.checkpointMessage(checkpoint));
        vm.prank(_submitter(operator));
        return outbox.submit(checkpoint, s.rx, s.ry, s.z, operator);
    }

    /// @dev Signs, and expects the submission to revert with `reason`.
    function _refuse(Checkpoint memory checkpoint, uint16 operator, bytes memory reason) internal {
        Schnorr.Signature memory s = _sign(outbox.checkpointMessage(checkpoint));
        vm.expectRevert(reason);
        vm.prank(_submitter(operator));
        outbox.submit(checkpoint, s.rx, s.ry, s.z, operator);
    }

    function _priceLeaf(uint64 index, int256 price, uint64 time)
        internal
        pure
        returns (Leaf memory)
    {
        bytes32 task = keccak256(abi.encode("task", index));
        bytes memory body = abi.encode(bytes32("ETH-USD"), price, time);
        return Leaf(index, "price", 0, task, 2, 3, 4, 100 ether, body);
    }

    function _hashes(Leaf[] memory leaves) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](leaves.length);
        for (uint256 i = 0; i < leaves.length; i++) {
            hashes[i] = keccak256(abi.encode(leaves[i]));
        }
    }

    /// @dev Records a checkpoint over exactly these leaves, by operator 1.
    function _record(uint64 index, Leaf[] memory leaves) internal returns (Checkpoint memory c) {
        c = _checkpoint(index, uint64(leaves.length), Tree.rootOf(_hashes(leaves)));
        _submit(c, 1);
    }

    function _path(Leaf[] memory leaves, uint256 index) internal pure returns (bytes32[] memory) {
        return Tree.pathOf(_hashes(leaves), index);
    }
}
