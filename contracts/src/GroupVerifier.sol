// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Frost} from "./Frost.sol";
import {IGroupVerifier} from "./IGroupVerifier.sol";

/// @title FROST verification of one group key as a contract of its own
/// @notice For contracts that check certificates themselves, and for measuring. The Outbox holds
/// the same code inline. This contract asks for no proof of possession: who deploys it must have
/// checked one for the key (the Outbox's constructor does).
contract GroupVerifier is IGroupVerifier {
    uint256 private immutable _x;
    uint8 private immutable _parity;

    error InvalidGroupKey(uint256 x, uint8 parity);

    constructor(uint256 x, uint8 parity) {
        if (!Frost.isGroupKey(x, parity)) revert InvalidGroupKey(x, parity);
        _x = x;
        _parity = parity;
    }

    /// @inheritdoc IGroupVerifier
    function verify(bytes32 message, uint256 rx, uint256 ry, uint256 z)
        external
        view
        returns (bool)
    {
        return Frost.verify(message, _x, _parity, rx, ry, z);
    }

    /// @notice The group key: x-coordinate and the parity of y.
    function groupKey() external view returns (uint256 x, uint8 parity) {
        return (_x, _parity);
    }
}
