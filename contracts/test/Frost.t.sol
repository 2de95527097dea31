// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Frost} from "../src/Frost.sol";
import {GroupVerifier} from "../src/GroupVerifier.sol";
import {Schnorr} from "./Schnorr.sol";
import {Test, vm, Vm} from "./Support.sol";
import {Vectors} from "./vectors/Vectors.sol";

contract FrostTest is Test {
    function test_verify_acceptsSignaturesOfRealGroups() external {
        for (uint256 i = 0; i < Vectors.CASES; i++) {
            Vectors.Signed memory v = Vectors.signedCase(i);
            GroupVerifier verifier = new GroupVerifier(v.x, v.parity);
            check(verifier.verify(bytes32(v.message), v.rx, v.ry, v.z), "signature of a group");
            check(!verifier.verify(~bytes32(v.message), v.rx, v.ry, v.z), "another message");
            verifier = new GroupVerifier(v.x, 1 - v.parity);
            check(!verifier.verify(bytes32(v.message), v.rx, v.ry, v.z), "the negated key");
        }
    }

    function test_challenge_isTheRfcs() external pure {
        Vectors.Signed memory v = Vectors.rfc9591();
        uint256 e = Schnorr.challenge(v.message, v.x, v.parity, v.rx, v.ry);
        check(Frost.satisfies(e, v.x, v.parity, v.rx, v.ry, v.z), "RFC 9591 appendix E.5");
        check(!Frost.satisfies(e + 1, v.x, v.parity, v.rx, v.ry, v.z), "another challenge");
    }

    /// forge-config: default.fuzz.runs = 512
    function testFuzz_challenge_equalsThePlainOne(
        bytes32 message,
        uint256 x,
        bool odd,
        uint256 rx,
        uint256 ry
    ) external view {
        uint8 parity = odd ? 1 : 0;
        checkEqual(
            Frost.challenge(message, x, parity, rx, ry),
            Schnorr.challenge(abi.encodePacked(message), x, parity, rx, ry)
        );
    }

    function testFuzz_challenge_leavesMemoryAlone(bytes32 message, bytes memory before)
        external
        view
    {
        bytes32 hash = keccak256(before);
        Frost.challenge(message, 1, 0, 2, 3);
        bytes memory next = new bytes(64);
        checkEqual(keccak256(next), keccak256(abi.encode(uint256(0), uint256(0))));
        checkEqual(keccak256(before), hash);
    }

    function testFuzz_verify_acceptsWhatIsSigned(uint256 secret, uint256 nonce, bytes32 message)
        external
    {
        (Schnorr.Key memory key, Schnorr.Signature memory s) = _signed(secret, nonce, message);
        check(Frost.verify(message, key.x, key.parity, s.rx, s.ry, s.z), "a signature is accepted");
    }

    /// @dev Every way to bend one valid signature.
    function testFuzz_verify_refusesWhatIsBent(
        uint256 secret,
        uint256 nonce,
        bytes32 message,
        uint256 delta
    ) external {
        (Schnorr.Key memory key, Schnorr.Signature memory s) = _signed(secret, nonce, message);
        delta = within(delta, 1, type(uint256).max);
        check(!_verify(key, bytes32(uint256(message) ^ delta), s), "another message");
        unchecked {
            check(!_verify(key, message, Schnorr.Signature(s.rx, s.ry, s.z + delta)), "z");
            check(!_verify(key, message, Schnorr.Signature(s.rx, s.ry + delta, s.z)), "ry");
            check(!_verify(key, message, Schnorr.Signature(s.rx + delta, s.ry, s.z)), "rx");
        }
        uint256 minusY = Frost.FIELD - s.ry;
        check(!_verify(key, message, Schnorr.Signature(s.rx, minusY, s.z)), "-R");
        uint256 minusZ = Frost.ORDER - s.z;
        check(!_verify(key, message, Schnorr.Signature(s.rx, s.ry, minusZ)), "-z");
        check(!_verify(key, message, Schnorr.Signature(s.rx, minusY, minusZ)), "(-R, -z)");
        check(!_verify(key, message, Schnorr.Signature(s.rx, s.ry, 0)), "z = 0");
        check(!_verify(key, message, Schnorr.Signature(s.rx, s.ry, Frost.ORDER)), "z = N");
        check(!_verify(key, message, Schnorr.Signature(0, 0, s.z)), "no point");
    }

    /// @dev With a challenge of our choice z can be made small, so that z + N fits 256 bits and the
    /// equation holds for both: only the range check tells them apart.
    function testFuzz_satisfies_refusesTheSecondFormOfTheResponse(uint256 secret, uint256 z)
        external
    {
        Schnorr.Key memory key = Schnorr.keyOf(within(secret, 1, Frost.ORDER - 1));
        z = within(z, 1, type(uint256).max - Frost.ORDER);
        uint256 e = 2;
        uint256 nonce = addmod(z, Frost.ORDER - mulmod(e, key.secret, Frost.ORDER), Frost.ORDER);
        vm.assume(nonce != 0);
        Vm.Wallet memory r = vm.createWallet(nonce);
        check(_satisfies(e, key, r, z), "the canonical form");
        check(!_satisfies(e, key, r, z + Frost.ORDER), "z + N");
        check(!_satisfies(e + Frost.ORDER, key, r, z), "e + N");
    }

    /// @dev e = 0 makes any (zG, z) satisfy the equation under any key, and z = 0 lets R = −eP.
    function testFuzz_satisfies_refusesZeros(uint256 secret, uint256 z) external {
        Schnorr.Key memory key = Schnorr.keyOf(within(secret, 1, Frost.ORDER - 1));
        z = within(z, 1, Frost.ORDER - 1);
        check(!_satisfies(0, key, vm.createWallet(z), z), "e = 0");
        uint256 minus = Frost.ORDER - mulmod(3, key.secret, Frost.ORDER);
        check(!_satisfies(3, key, vm.createWallet(minus), 0), "z = 0");
    }

    function test_isOnCurve_acceptsOnlyCanonicalCoordinates() external pure {
        (uint256 x, uint256 y) = Vectors.smallXPoint();
        check(Frost.isOnCurve(x, y), "a point with small x");
        check(!Frost.isOnCurve(x + Frost.FIELD, y), "x + P");
        (x, y) = Vectors.smallYPoint();
        check(Frost.isOnCurve(x, y), "a point with small y");
        check(!Frost.isOnCurve(x, y + Frost.FIELD), "y + P");
        check(!Frost.isOnCurve(x, y + 1), "off the curve");
        check(!Frost.isOnCurve(0, 0), "no point");
    }

    function test_isGroupKey_refusesWhatEcrecoverCannotExpress() external {
        (uint256 x, uint256 y) = Vectors.unverifiableKey();
        check(Frost.isOnCurve(x, y), "it is a point");
        check(!Frost.isGroupKey(x, 0), "with x >= N");
        check(!Frost.isGroupKey(0, 0), "x = 0");
        check(!Frost.isGroupKey(1, 2), "parity 2");
        check(Frost.isGroupKey(Frost.ORDER - 1, 1), "the largest x");
        vm.expectRevert(abi.encodeWithSelector(GroupVerifier.InvalidGroupKey.selector, x, 0));
        new GroupVerifier(x, 0);
    }

    function testFuzz_addressOf_isTheAccounts(uint256 secret) external {
        Vm.Wallet memory wallet = vm.createWallet(within(secret, 1, Frost.ORDER - 1));
        checkEqual(Frost.addressOf(wallet.publicKeyX, wallet.publicKeyY), wallet.addr);
    }

    function _signed(uint256 secret, uint256 nonce, bytes32 message)
        private
        returns (Schnorr.Key memory key, Schnorr.Signature memory signature)
    {
        key = Schnorr.keyOf(within(secret, 1, Frost.ORDER - 1));
        signature = Schnorr.sign(key, message, within(nonce, 1, Frost.ORDER - 1));
    }

    function _verify(Schnorr.Key memory key, bytes32 message, Schnorr.Signature memory s)
        private
        view
        returns (bool)
    {
        return Frost.verify(message, key.x, key.parity, s.rx, s.ry, s.z);
    }

    function _satisfies(uint256 e, Schnorr.Key memory key, Vm.Wallet memory r, uint256 z)
        private
        pure
        returns (bool)
    {
        return Frost.satisfies(e, key.x, key.parity, r.publicKeyX, r.publicKeyY, z);
    }
}
