// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev The tree of RFC 9162 §2.1.1 and its inclusion paths (§2.1.3.1) by their recursive
/// definitions, over leaf hashes.
library Tree {
    function rootOf(bytes32[] memory hashes) internal pure returns (bytes32) {
        return _root(hashes, 0, hashes.length);
    }

    function pathOf(bytes32[] memory hashes, uint256 index)
        internal
        pure
        returns (bytes32[] memory path)
    {
        bytes32[] memory found = new bytes32[](64);
        uint256 length = _path(hashes, 0, hashes.length, index, found);
        path = new bytes32[](length);
        for (uint256 i = 0; i < length; i++) {
            path[i] = found[i];
        }
    }

    function _root(bytes32[] memory hashes, uint256 from, uint256 size)
        private
        pure
        returns (bytes32)
    {
        if (size == 1) return hashes[from];
        uint256 left = _split(size);
        bytes32 l = _root(hashes, from, left);
        bytes32 r = _root(hashes, from + left, size - left);
        return keccak256(abi.encodePacked(l, r));
    }

    function _path(
        bytes32[] memory hashes,
        uint256 from,
        uint256 size,
        uint256 index,
        bytes32[] memory found
    ) private pure returns (uint256 length) {
        if (size == 1) return 0;
        uint256 left = _split(size);
        if (index < left) {
            length = _path(hashes, from, left, index, found);
            found[length] = _root(hashes, from + left, size - left);
        } else {
            length = _path(hashes, from + left, size - left, index - left, found);
            found[length] = _root(hashes, from, left);
        }
        return length + 1;
    }

    /// @dev The largest power of two below `size`.
    function _split(uint256 size) private pure returns (uint256 half) {
        half = 1;
        while (half * 2 < size) half *= 2;
    }
}
