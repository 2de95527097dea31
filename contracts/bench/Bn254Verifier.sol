// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The peer of the benchmark: an aggregate signature on BN254
/// @notice Checks e(signature, −G2) · e(H(message), key) = 1 for the aggregated key of all signers.
/// @dev The cheapest form there is: everyone signed, the key is in the code, no stakes, no history.
/// H is try-and-increment, so its cost depends on the message; see {attempts}.
contract Bn254Verifier {
    uint256 private constant FIELD =
        21888242871839275222246405745257275088696311157297823662689037894645226208583;

    /// @dev −G2, imaginary part first.
    uint256 private constant MINUS_G2_X1 =
        0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2;
    uint256 private constant MINUS_G2_X0 =
        0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed;
    uint256 private constant MINUS_G2_Y1 =
        0x275dc4a288d1afb3cbb1ac09187524c7db36395df7be3b99e673b13a075a65ec;
    uint256 private constant MINUS_G2_Y0 =
        0x1d9befcd05a5323e6da4d435f3b617cdb3af83285c2df711ef39c01571827f9d;

    uint256 private immutable _x1;
    uint256 private immutable _x0;
    uint256 private immutable _y1;
    uint256 private immutable _y0;

    /// @param key the aggregated key in G2: imaginary and real part of x, then of y.
    constructor(uint256[4] memory key) {
        (_x1, _x0, _y1, _y0) = (key[0], key[1], key[2], key[3]);
    }

    function verify(bytes32 message, uint256 x, uint256 y) external view returns (bool) {
        (uint256 hx, uint256 hy,) = hashToPoint(message);
        uint256[12] memory input =
            [x, y, MINUS_G2_X1, MINUS_G2_X0, MINUS_G2_Y1, MINUS_G2_Y0, hx, hy, _x1, _x0, _y1, _y0];
        uint256[1] memory output;
        bool done;
        assembly ("memory-safe") {
            done := staticcall(gas(), 8, input, 384, output, 32)
        }
        return done && output[0] == 1;
    }

    /// @notice The point of a message in G1, and how many attempts it took to find it.
    function hashToPoint(bytes32 message)
        public
        view
        returns (uint256 x, uint256 y, uint256 attempts)
    {
        x = uint256(message) % FIELD;
        for (attempts = 1;; attempts++) {
            uint256 square = addmod(mulmod(mulmod(x, x, FIELD), x, FIELD), 3, FIELD);
            y = _power(square, (FIELD + 1) / 4);
            if (mulmod(y, y, FIELD) == square) return (x, y, attempts);
            x = addmod(x, 1, FIELD);
        }
    }

    function _power(uint256 base, uint256 exponent) private view returns (uint256) {
        uint256[6] memory input = [32, 32, 32, base, exponent, FIELD];
        uint256[1] memory output;
        bool done;
        assembly ("memory-safe") {
            done := staticcall(gas(), 5, input, 192, output, 32)
        }
        require(done, "modexp");
        return output[0];
    }
}
