// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Verifier of one group's signatures
/// @notice The key belongs to the verifier: no caller can choose it.
interface IGroupVerifier {
    /// @notice Whether (R, z) is the group's signature over `message`.
    /// @param rx x-coordinate of the nonce point R.
    /// @param ry y-coordinate of the nonce point R.
    /// @param z the response scalar.
    function verify(bytes32 message, uint256 rx, uint256 ry, uint256 z)
        external
        view
        returns (bool);
}
