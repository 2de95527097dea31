// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev What the group signs: the outbox at one size, and who may bring it to L1 when.
struct Checkpoint {
    /// From 1 up; any index above the last recorded one supersedes all below it.
    uint64 index;
    /// Number of leaves, and the root over them.
    uint64 size;
    bytes32 root;
    /// `block.timestamp` in seconds at which window 0 opens.
    uint64 start;
    /// Length of each window in seconds.
    uint32 window;
    /// Four `uint16` operator ids, the owner of window 0 in the highest 16 bits; 0 = unused.
    uint64 submitters;
}

/// @dev One decision of the network. It states how it was reached and what stake stands behind it.
struct Leaf {
    /// Position in the outbox, from 0.
    uint64 index;
    /// The service's name, ASCII, left-aligned.
    bytes32 service;
    /// 0 = result (executable), 1 = block (only kept).
    uint8 kind;
    /// Task id, or hash of the L2 block.
    bytes32 subject;
    /// 0 = replicated, 1 = exact, 2 = median.
    uint8 rule;
    /// Weight that agreed, and of the whole committee.
    uint32 agreeingWeight;
    uint32 committeeWeight;
    /// Slashable stake of those who agreed.
    uint256 stakeWei;
    /// ABI encoding of the service's own content.
    bytes body;
}

/// @dev An operator at deployment: its id from 1 up, its ledger key's address, and the account that
/// submits for it.
struct OperatorAccount {
    uint16 operator;
    address ledger;
    address submitter;
}

/// @dev `Leaf.kind` of a result that is handed to its consumer.
uint8 constant KIND_RESULT = 0;
