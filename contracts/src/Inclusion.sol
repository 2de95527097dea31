// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Inclusion proofs in the outbox's tree
/// @notice The tree of RFC 9162 §2.1 with inner nodes keccak256(left ‖ right). Inner nodes need no
/// prefix, because the preimage of a leaf is always longer than 64 bytes.
library Inclusion {
    /// @notice Whether `leafHash` stands at `index` in the tree of `size` leaves with `root`.
    /// @param siblings from the bottom up.
    /// @dev RFC 9162 §2.1.3.2, step by step.
    function verify(
        bytes32 leafHash,
        uint64 index,
        uint64 size,
        bytes32[] calldata siblings,
        bytes32 root
    ) internal pure returns (bool) {
        if (index >= size) return false;
        uint256 node = index;
        uint256 last = size - 1;
        bytes32 hash = leafHash;
        for (uint256 i = 0; i < siblings.length; i++) {
            if (last == 0) return false;
            if (node & 1 == 1 || node == last) {
                hash = parentOf(siblings[i], hash);
                while (node & 1 == 0 && node != 0) {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = parentOf(hash, siblings[i]);
            }
            node >>= 1;
            last >>= 1;
        }
        return last == 0 && hash == root;
    }

    /// @notice keccak256(left ‖ right).
    function parentOf(bytes32 left, bytes32 right) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            hash := keccak256(0x00, 0x40)
        }
    }
}
