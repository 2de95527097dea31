// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Gas of one call
contract GasMeter {
    /// @notice Gas of a static call to a warm contract, its decoding and returning included, and
    /// whether it returned true.
    function measure(address target, bytes memory data)
        external
        view
        returns (uint256 used, bool isTrue)
    {
        (bool done, bytes memory result) = target.staticcall(data);
        bool warm;
        uint256 before = gasleft();
        assembly ("memory-safe") {
            warm := staticcall(gas(), target, add(data, 0x20), mload(data), 0, 0)
        }
        used = before - gasleft();
        isTrue = done && warm && abi.decode(result, (bool));
    }
}
