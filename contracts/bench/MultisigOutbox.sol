// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Credits} from "../src/Credits.sol";
import {IServiceManager} from "../src/IServiceManager.sol";
import {Checkpoint, Leaf} from "../src/Types.sol";
import {Windows} from "../src/Windows.sol";

/// @title The peer of the benchmark: an outbox certified by k of n ecrecover signatures
/// @notice Takes the same checkpoint, keeps the same windows, and has the same effects as the
/// Outbox: last index and size, a ring word, a credit, an event. Only the certificate differs. A
/// result is delivered under k signatures over its leaf, which needs no checkpoint and no proof.
/// @dev Signatures are 65 bytes (r, s, v), sorted by signer, the signer set is a mapping: the usual
/// form of multisignature wallets.
contract MultisigOutbox is Credits {
    uint256 private constant RING_LENGTH = 256;
    uint256 private constant SUBMISSION_GAS = 60_000;
    bytes32 private constant CHECKPOINT_TAG = keccak256("NodeOP checkpoint v1");

    uint256 private immutable _threshold;
    uint256 private immutable _tipWei;

    uint64 private _lastIndex;
    uint64 private _lastSize;
    address private _serviceManager;
    bytes32[RING_LENGTH] private _ring;
    mapping(uint16 operator => address) private _submitters;
    mapping(address => bool) private _signers;
    mapping(uint256 word => uint256 bits) private _executed;

    event CheckpointRecorded(
        uint64 indexed index,
        uint64 size,
        bytes32 root,
        uint16 operator,
        uint8 window,
        address submitter,
        uint64 time,
        uint256 pay
    );
    event LeafExecuted(
        uint64 indexed leafIndex,
        bytes32 indexed service,
        bytes32 indexed subject,
        bool success,
        address executor
    );

    error NotSubmitter();
    error SizeShrinks();
    error WindowClosed();
    error NotEnoughSignatures();
    error NotASigner(address account);
    error AlreadyExecuted();

    /// @param signers the operators' addresses; all submit through `submitter`.
    constructor(address[] memory signers, uint256 threshold, address submitter, uint256 tipWei) {
        _threshold = threshold;
        _tipWei = tipWei;
        for (uint256 i = 0; i < signers.length; i++) {
            _signers[signers[i]] = true;
            _submitters[uint16(i + 1)] = submitter;
        }
        for (uint256 i = 0; i < RING_LENGTH; i++) {
            _ring[i] = bytes32(uint256(1));
        }
    }

    function setServiceManager(address manager) external {
        _serviceManager = manager;
    }

    function submit(Checkpoint calldata checkpoint, bytes calldata signatures, uint16 operator)
        external
        returns (bool)
    {
        if (checkpoint.index <= _lastIndex) return false;
        if (msg.sender != _submitters[operator]) revert NotSubmitter();
        if (checkpoint.size < _lastSize) revert SizeShrinks();
        uint256 window = Windows.current(checkpoint);
        if (!Windows.isOpenTo(checkpoint.submitters, operator, window)) revert WindowClosed();
        _check(checkpointMessage(checkpoint), signatures);
        _lastIndex = checkpoint.index;
        _lastSize = checkpoint.size;
        _ring[checkpoint.index % RING_LENGTH] =
            keccak256(abi.encode(checkpoint.index, checkpoint.size, checkpoint.root));
        uint256 pay = block.basefee * SUBMISSION_GAS + _tipWei;
        _addCredit(msg.sender, pay);
        emit CheckpointRecorded(
            checkpoint.index,
            checkpoint.size,
            checkpoint.root,
            operator,
            uint8(window < 255 ? window : 255),
            msg.sender,
            uint64(block.timestamp),
            pay
        );
        return true;
    }

    function execute(Leaf calldata leaf, bytes calldata signatures)
        external
        returns (bool success)
    {
        uint256 bit = 1 << (leaf.index & 0xff);
        if (_executed[leaf.index >> 8] & bit != 0) revert AlreadyExecuted();
        _check(leafMessage(leaf), signatures);
        _executed[leaf.index >> 8] |= bit;
        success = IServiceManager(_serviceManager).deliver(leaf, msg.sender);
        emit LeafExecuted(leaf.index, leaf.service, leaf.subject, success, msg.sender);
    }

    function checkpointMessage(Checkpoint calldata c) public view returns (bytes32) {
        return keccak256(
            abi.encode(
                CHECKPOINT_TAG,
                block.chainid,
                address(this),
                c.index,
                c.size,
                c.root,
                c.start,
                c.window,
                c.submitters
            )
        );
    }

    function leafMessage(Leaf calldata leaf) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), leaf));
    }

    function _check(bytes32 message, bytes calldata signatures) private view {
        if (signatures.length != 65 * _threshold) revert NotEnoughSignatures();
        address last = address(0);
        for (uint256 at = 0; at < signatures.length; at += 65) {
            address signer = ecrecover(
                message,
                uint8(signatures[at + 64]),
                bytes32(signatures[at:at + 32]),
                bytes32(signatures[at + 32:at + 64])
            );
            if (signer <= last || !_signers[signer]) revert NotASigner(signer);
            last = signer;
        }
    }
}
