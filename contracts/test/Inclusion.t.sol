// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Inclusion} from "../src/Inclusion.sol";
import {Test} from "./Support.sol";
import {Tree} from "./Tree.sol";

contract InclusionTest is Test {
    function verify(
        bytes32 hash,
        uint64 index,
        uint64 size,
        bytes32[] calldata siblings,
        bytes32 root
    ) external pure returns (bool) {
        return Inclusion.verify(hash, index, size, siblings, root);
    }

    function test_verify_acceptsEveryLeafOfEverySizeUpTo33() external view {
        for (uint64 size = 1; size <= 33; size++) {
            bytes32[] memory hashes = _hashes(size, 1);
            bytes32 root = Tree.rootOf(hashes);
            for (uint64 i = 0; i < size; i++) {
                bytes32[] memory path = Tree.pathOf(hashes, i);
                check(this.verify(hashes[i], i, size, path, root), "a leaf is included");
            }
        }
    }

    function testFuzz_verify_refusesWhatIsBent(
        uint256 seed,
        uint64 size,
        uint64 index,
        uint64 other
    ) external view {
        size = uint64(within(size, 2, 40));
        index = uint64(within(index, 0, size - 1));
        bytes32[] memory hashes = _hashes(size, seed);
        bytes32 root = Tree.rootOf(hashes);
        bytes32[] memory path = Tree.pathOf(hashes, index);
        check(this.verify(hashes[index], index, size, path, root), "the leaf is included");

        if (other != index) {
            check(!this.verify(hashes[index], other, size, path, root), "another index");
        }
        check(!this.verify(~hashes[index], index, size, path, root), "another leaf");
        check(!this.verify(hashes[index], index, size, path, ~root), "another root");
        check(!this.verify(hashes[index], index, index, path, root), "an index past the size");
        bytes32[] memory shorter = new bytes32[](path.length - 1);
        bytes32[] memory longer = new bytes32[](path.length + 1);
        for (uint256 i = 0; i < path.length; i++) {
            longer[i] = path[i];
            if (i < shorter.length) shorter[i] = path[i];
        }
        check(!this.verify(hashes[index], index, size, shorter, root), "a shorter path");
        check(!this.verify(hashes[index], index, size, longer, root), "a longer path");
        path[seed % path.length] ^= bytes32(uint256(1));
        check(!this.verify(hashes[index], index, size, path, root), "another sibling");
    }

    function _hashes(uint256 size, uint256 seed) private pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](size);
        for (uint256 i = 0; i < size; i++) {
            hashes[i] = keccak256(abi.encode(seed, i));
        }
    }
}
