// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Frost} from "../src/Frost.sol";
import {vm, Vm} from "./Support.sol";

/// @dev Signs as a whole group would: a FROST signature is a Schnorr signature under the group key.
/// The challenge is written a second time here, plainly, so that the one in use has a judge.
library Schnorr {
    struct Key {
        uint256 secret;
        uint256 x;
        uint256 y;
        uint8 parity;
    }

    struct Signature {
        uint256 rx;
        uint256 ry;
        uint256 z;
    }

    function keyOf(uint256 secret) internal returns (Key memory) {
        Vm.Wallet memory wallet = vm.createWallet(secret);
        return Key(secret, wallet.publicKeyX, wallet.publicKeyY, uint8(wallet.publicKeyY & 1));
    }

    function sign(Key memory key, bytes32 message, uint256 nonce)
        internal
        returns (Signature memory)
    {
        Vm.Wallet memory point = vm.createWallet(nonce);
        uint256 e = challenge(
            abi.encodePacked(message), key.x, key.parity, point.publicKeyX, point.publicKeyY
        );
        return Signature(point.publicKeyX, point.publicKeyY, respond(key, nonce, e));
    }

    /// @dev z = k + e·x.
    function respond(Key memory key, uint256 nonce, uint256 e) internal pure returns (uint256) {
        return addmod(nonce, mulmod(e, key.secret, Frost.ORDER), Frost.ORDER);
    }

    function challenge(bytes memory message, uint256 x, uint8 parity, uint256 rx, uint256 ry)
        internal
        pure
        returns (uint256)
    {
        bytes memory tag = abi.encodePacked("FROST-secp256k1-SHA256-v1", "chal", uint8(29));
        bytes memory points =
            abi.encodePacked(uint8(2 + (ry & 1)), bytes32(rx), 2 + parity, bytes32(x));
        bytes32 b0 =
            sha256(abi.encodePacked(new bytes(64), points, message, uint16(48), uint8(0), tag));
        bytes32 b1 = sha256(abi.encodePacked(b0, uint8(1), tag));
        bytes32 b2 = sha256(abi.encodePacked(b0 ^ b1, uint8(2), tag));
        uint256 high = uint256(b1) % Frost.ORDER;
        return addmod(mulmod(high, 2 ** 128, Frost.ORDER), uint256(b2) / 2 ** 128, Frost.ORDER);
    }
}
