// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev The part of the test runner's cheat codes that these tests use.
interface Vm {
    struct Wallet {
        address addr;
        uint256 publicKeyX;
        uint256 publicKeyY;
        uint256 privateKey;
    }

    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function addr(uint256 privateKey) external pure returns (address);
    function assume(bool condition) external pure;
    function createWallet(uint256 privateKey) external returns (Wallet memory);
    function deal(address account, uint256 newBalance) external;
    function etch(address target, bytes calldata code) external;
    function expectEmit(address emitter) external;
    function expectRevert() external;
    function expectRevert(bytes4 selector) external;
    function expectRevert(bytes calldata data) external;
    function fee(uint256 newBaseFee) external;
    function getNonce(address account) external view returns (uint64);
    function getRecordedLogs() external returns (Log[] memory);
    function prank(address sender) external;
    function recordLogs() external;
    function sign(uint256 privateKey, bytes32 digest)
        external
        pure
        returns (uint8 v, bytes32 r, bytes32 s);
    function startPrank(address sender) external;
    function stopPrank() external;
    function toString(uint256 value) external pure returns (string memory);
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
    function warp(uint256 timestamp) external;
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

/// @dev Assertions that name both values, and a range for fuzzed numbers.
abstract contract Test {
    error Unequal(uint256 actual, uint256 expected);
    error UnequalBytes32(bytes32 actual, bytes32 expected);
    error UnequalAddress(address actual, address expected);
    error Unsatisfied(string what);

    function check(bool condition, string memory what) internal pure {
        if (!condition) revert Unsatisfied(what);
    }

    function checkEqual(uint256 actual, uint256 expected) internal pure {
        if (actual != expected) revert Unequal(actual, expected);
    }

    function checkEqual(bytes32 actual, bytes32 expected) internal pure {
        if (actual != expected) revert UnequalBytes32(actual, expected);
    }

    function checkEqual(address actual, address expected) internal pure {
        if (actual != expected) revert UnequalAddress(actual, expected);
    }

    /// @dev `value` folded into [low, high].
    function within(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        if (high - low == type(uint256).max) return value;
        return low + value % (high - low + 1);
    }
}
