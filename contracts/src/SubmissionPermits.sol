// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title An operator's permit for another account to submit in its place
/// @notice EIP-712 typed data in the domain (name "NodeOP Outbox", version "1", chain id, this
/// contract): `SubmissionPermit(uint16 operator,address sender,uint64 deadline)`.
abstract contract SubmissionPermits {
    bytes32 private constant DOMAIN_TYPE = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 private constant PERMIT_TYPE =
        keccak256("SubmissionPermit(uint16 operator,address sender,uint64 deadline)");
    /// @dev Half of the group order: of (s, −s) only the lower is a signature here (EIP-2).
    uint256 private constant HALF_ORDER =
        0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    error PermitExpired(uint64 deadline);
    error InvalidPermit(uint16 operator);

    /// @notice The digest that an operator signs.
    function permitDigest(uint16 operator, address sender, uint64 deadline)
        public
        view
        returns (bytes32)
    {
        bytes32 domain = keccak256(
            abi.encode(
                DOMAIN_TYPE,
                keccak256("NodeOP Outbox"),
                keccak256("1"),
                block.chainid,
                address(this)
            )
        );
        bytes32 permit = keccak256(abi.encode(PERMIT_TYPE, operator, sender, deadline));
        return keccak256(abi.encodePacked(hex"1901", domain, permit));
    }

    /// @dev The account that signed the permit (65 bytes: r, s, v); zero when it is no signature.
    function _permitSigner(bytes32 digest, bytes calldata permit) internal pure returns (address) {
        if (permit.length != 65) return address(0);
        bytes32 s = bytes32(permit[32:64]);
        if (uint256(s) > HALF_ORDER) return address(0);
        return ecrecover(digest, uint8(permit[64]), bytes32(permit[0:32]), s);
    }
}
