// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title FROST(secp256k1, SHA-256) verification, exactly RFC 9591, through `ecrecover`
/// @notice A signature (R, z) is valid for the key P when z·G = R + e·P, where e is the challenge.
/// `ecrecover(h, v, r, s)` computes r⁻¹·(s·Q − h·G) for the point Q with x-coordinate r. With
/// Q = P, s = −e·px and h = −z·px it yields the address of z·G − e·P, which must be that of R.
/// @dev A group key must pass {isGroupKey} and a proof of possession when it is registered; it must
/// never come from the caller of a verification.
library Frost {
    /// @dev Order of the field of secp256k1's coordinates.
    uint256 internal constant FIELD =
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F;
    /// @dev Order of the group.
    uint256 internal constant ORDER =
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    /// @dev Domain separation tag of the challenge, RFC 9591 §6.5 (H2).
    bytes29 private constant TAG = "FROST-secp256k1-SHA256-v1chal";

    /// @notice Whether a key can be verified: `ecrecover` cannot express an x-coordinate ≥ ORDER,
    /// so a key generation that yields one (chance 2⁻¹²⁸) is run again.
    /// @param parity 0 when the key's y-coordinate is even, else 1.
    function isGroupKey(uint256 x, uint8 parity) internal pure returns (bool) {
        return x != 0 && x < ORDER && parity < 2;
    }

    /// @notice Whether (R, z) is a signature over `message` by the registered key (x, parity).
    function verify(bytes32 message, uint256 x, uint8 parity, uint256 rx, uint256 ry, uint256 z)
        internal
        view
        returns (bool)
    {
        return satisfies(challenge(message, x, parity, rx, ry), x, parity, rx, ry, z);
    }

    /// @notice Whether z·G = R + e·P, with every input in its range.
    /// @dev Neither scalar can be written in two ways, and R is a point: signatures stay as
    /// malleable as RFC 9591 makes them (a signer may sign twice), no more.
    function satisfies(uint256 e, uint256 x, uint8 parity, uint256 rx, uint256 ry, uint256 z)
        internal
        pure
        returns (bool)
    {
        if (z == 0 || z >= ORDER) return false;
        if (e == 0 || e >= ORDER) return false;
        if (!isOnCurve(rx, ry)) return false;
        address recovered = ecrecover(
            bytes32(ORDER - mulmod(z, x, ORDER)),
            27 + parity,
            bytes32(x),
            bytes32(ORDER - mulmod(e, x, ORDER))
        );
        return recovered != address(0) && recovered == addressOf(rx, ry);
    }

    /// @notice Whether the coordinates are canonical and satisfy y² = x³ + 7.
    function isOnCurve(uint256 x, uint256 y) internal pure returns (bool) {
        if (x >= FIELD || y >= FIELD) return false;
        uint256 cube = mulmod(mulmod(x, x, FIELD), x, FIELD);
        return mulmod(y, y, FIELD) == addmod(cube, 7, FIELD);
    }

    /// @notice The challenge e = H2(R ‖ P ‖ message), points compressed.
    /// @dev RFC 9380 hash_to_field with expand_message_xmd(SHA-256), 48 bytes, modulo ORDER:
    ///   b0 = SHA-256(0⁶⁴ ‖ R ‖ P ‖ message ‖ 0x0030 ‖ 0x00 ‖ tag ‖ 0x1d)
    ///   b1 = SHA-256(b0 ‖ 0x01 ‖ tag ‖ 0x1d), b2 = SHA-256((b0 ⊕ b1) ‖ 0x02 ‖ tag ‖ 0x1d)
    ///   e = (b1 ‖ first 16 bytes of b2) mod ORDER
    /// In assembly because it runs in every submission: memory past the free pointer is used as
    /// scratch, and the free pointer stays where it is.
    function challenge(bytes32 message, uint256 x, uint8 parity, uint256 rx, uint256 ry)
        internal
        view
        returns (uint256 e)
    {
        uint256 tag = uint232(TAG);
        uint256 high;
        uint256 low;
        assembly ("memory-safe") {
            function digest(start, length) -> result {
                if iszero(staticcall(gas(), 2, start, length, 0, 0x20)) { revert(0, 0) }
                result := mload(0)
            }
            let at := mload(0x40)
            mstore(at, 0)
            mstore(add(at, 32), 0)
            mstore8(add(at, 64), add(2, and(ry, 1)))
            mstore(add(at, 65), rx)
            mstore8(add(at, 97), add(2, and(parity, 1)))
            mstore(add(at, 98), x)
            mstore(add(at, 130), message)
            mstore(add(at, 162), or(shl(232, 0x003000), tag))
            mstore8(add(at, 194), 0x1d)
            let b0 := digest(at, 195)

            mstore(at, b0)
            mstore(add(at, 32), or(shl(248, 1), or(shl(16, tag), 0x1d00)))
            high := digest(at, 63)

            mstore(at, xor(b0, high))
            mstore8(add(at, 32), 2)
            low := shr(128, digest(at, 63))
        }
        return addmod(mulmod(high, 1 << 128, ORDER), low, ORDER);
    }

    /// @notice The Ethereum address of a public key.
    function addressOf(uint256 x, uint256 y) internal pure returns (address account) {
        assembly ("memory-safe") {
            mstore(0x00, x)
            mstore(0x20, y)
            account := and(keccak256(0x00, 0x40), 0xffffffffffffffffffffffffffffffffffffffff)
        }
    }
}
