// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Credits} from "./Credits.sol";
import {Frost} from "./Frost.sol";
import {Inclusion} from "./Inclusion.sol";
import {IServiceManager} from "./IServiceManager.sol";
import {SubmissionPermits} from "./SubmissionPermits.sol";
import {Checkpoint, KIND_RESULT, Leaf, OperatorAccount} from "./Types.sol";
import {Windows} from "./Windows.sol";

/// @title The network's certified decisions on L1
/// @notice Records checkpoints of the ledger's outbox that the group signed, each in its submission
/// window or by fallback, and credits who brought them. Leaves are executed apart from that, by
/// anyone, by proof under a recorded root, once each: a leaf that fails blocks nothing.
contract Outbox is Credits, SubmissionPermits {
    /// @dev Recorded roots that stay valid for proofs.
    uint256 private constant RING_LENGTH = 256;
    /// @dev Gas that a submission is paid for, at the block's base fee: what one costs at most.
    uint256 private constant SUBMISSION_GAS = 60_000;
    bytes32 private constant CHECKPOINT_TAG = keccak256("NodeOP checkpoint v1");
    bytes32 private constant POSSESSION_TAG = keccak256("NodeOP proof of possession v1");

    uint256 private immutable _groupX;
    uint8 private immutable _groupParity;
    uint256 private immutable _tipWei;
    address private immutable _deployer;

    uint64 private _lastIndex;
    uint64 private _lastSize;
    address private _serviceManager;
    bytes32[RING_LENGTH] private _ring;
    mapping(uint16 operator => address) private _submitters;
    mapping(uint16 operator => address) private _ledgers;
    mapping(uint256 word => uint256 bits) private _executed;

    event CheckpointRecorded(
        uint64 indexed index,
        uint64 size,
        bytes32 root,
        uint16 operator,
        uint8 window,
        address submitter,
        uint64 time,
        uint256 pay
    );
    event LeafExecuted(
        uint64 indexed leafIndex,
        bytes32 indexed service,
        bytes32 indexed subject,
        bool success,
        address executor
    );
    event GroupKeyRegistered(uint256 x, uint8 parity);
    event SubmitterChanged(uint16 indexed operator, address indexed account);
    event ServiceManagerSet(address indexed manager);
    event Funded(address indexed from, uint256 amount);

    error InvalidGroupKey(uint256 x, uint8 parity);
    error InvalidProofOfPossession();
    error InvalidOperator(uint16 operator);
    error NotDeployer(address account);
    error ServiceManagerAlreadySet();
    error ServiceManagerNotSet();
    error ZeroAddress();
    error NotOperator(uint16 operator, address account);
    error NotSubmitter(uint16 operator, address account);
    error WindowClosed(uint16 operator, uint256 window);
    error SizeShrinks(uint64 last, uint64 size);
    error InvalidSignature();
    error NotRecorded(uint64 index);
    error NotIncluded(uint64 leafIndex);
    error NotExecutable(uint8 kind);
    error AlreadyExecuted(uint64 leafIndex);
    error LengthMismatch();

    /// @param groupX x-coordinate of the group key; `groupParity` is 1 when its y is odd.
    /// @param possessionRx R and z of the group's signature over the chain id and this contract's
    /// address: proves that the key was made for it, and that the group can sign.
    /// @param operators who may submit; ids from 1 up, each once.
    /// @param tipWei added to the pay of each submission.
    constructor(
        uint256 groupX,
        uint8 groupParity,
        uint256 possessionRx,
        uint256 possessionRy,
        uint256 possessionZ,
        OperatorAccount[] memory operators,
        uint256 tipWei
    ) {
        if (!Frost.isGroupKey(groupX, groupParity)) {
            revert InvalidGroupKey(groupX, groupParity);
        }
        bytes32 message = keccak256(abi.encode(POSSESSION_TAG, block.chainid, address(this)));
        if (!Frost.verify(message, groupX, groupParity, possessionRx, possessionRy, possessionZ)) {
            revert InvalidProofOfPossession();
        }
        _groupX = groupX;
        _groupParity = groupParity;
        _tipWei = tipWei;
        _deployer = msg.sender;
        emit GroupKeyRegistered(groupX, groupParity);
        for (uint256 i = 0; i < operators.length; i++) {
            _register(operators[i]);
        }
        // A fresh slot costs 17,100 gas more than a used one; no hash ever equals one.
        for (uint256 i = 0; i < RING_LENGTH; i++) {
            _ring[i] = bytes32(uint256(1));
        }
    }

    /// @notice Pays for submissions and their tips.
    receive() external payable {
        emit Funded(msg.sender, msg.value);
    }

    /// @notice Records a certified checkpoint and credits the caller, an operator's submitter.
    /// @return recorded false, unpaid, when this or a newer checkpoint is already recorded.
    function submit(
        Checkpoint calldata checkpoint,
        uint256 rx,
        uint256 ry,
        uint256 z,
        uint16 operator
    ) external returns (bool recorded) {
        if (checkpoint.index <= _lastIndex) return false;
        if (msg.sender != _submitters[operator]) revert NotSubmitter(operator, msg.sender);
        _record(checkpoint, rx, ry, z, operator);
        return true;
    }

    /// @notice Like {submit}, by `sender` with a permit of the operator's ledger key or submitter.
    /// @param sender the account that the permit names; must be the caller, who is credited.
    /// @param deadline last second at which the permit is valid.
    /// @param permit signature over {permitDigest}: r, s, v.
    function submitWithPermit(
        Checkpoint calldata checkpoint,
        uint256 rx,
        uint256 ry,
        uint256 z,
        uint16 operator,
        address sender,
        uint64 deadline,
        bytes calldata permit
    ) external returns (bool recorded) {
        if (checkpoint.index <= _lastIndex) return false;
        if (msg.sender != sender) revert NotSubmitter(operator, msg.sender);
        _checkPermit(operator, sender, deadline, permit);
        _record(checkpoint, rx, ry, z, operator);
        return true;
    }

    /// @notice Executes a result's leaf by its proof under a recorded checkpoint.
    /// @return success whether the consumer took it; a leaf is executed once whatever it did.
    function execute(
        Leaf calldata leaf,
        bytes32[] calldata siblings,
        uint64 checkpointIndex,
        uint64 checkpointSize,
        bytes32 checkpointRoot
    ) external returns (bool success) {
        _checkRecorded(checkpointIndex, checkpointSize, checkpointRoot);
        if (isExecuted(leaf.index)) revert AlreadyExecuted(leaf.index);
        return _execute(leaf, siblings, checkpointSize, checkpointRoot);
    }

    /// @notice Executes several leaves under one checkpoint, passing over those already executed.
    function executeMany(
        Leaf[] calldata leaves,
        bytes32[][] calldata siblings,
        uint64 checkpointIndex,
        uint64 checkpointSize,
        bytes32 checkpointRoot
    ) external {
        if (leaves.length != siblings.length) revert LengthMismatch();
        _checkRecorded(checkpointIndex, checkpointSize, checkpointRoot);
        for (uint256 i = 0; i < leaves.length; i++) {
            if (isExecuted(leaves[i].index)) continue;
            _execute(leaves[i], siblings[i], checkpointSize, checkpointRoot);
        }
    }

    /// @notice Names the contract that delivers results; by the deployer, once.
    function setServiceManager(address manager) external {
        if (msg.sender != _deployer) revert NotDeployer(msg.sender);
        if (_serviceManager != address(0)) revert ServiceManagerAlreadySet();
        if (manager == address(0)) revert ZeroAddress();
        _serviceManager = manager;
        emit ServiceManagerSet(manager);
    }

    /// @notice Changes the account that submits for an operator; by its ledger key's address or by
    /// the present account. The ledger key can always take the seat back.
    function setSubmitter(uint16 operator, address account) external {
        if (msg.sender != _ledgers[operator] && msg.sender != _submitters[operator]) {
            revert NotOperator(operator, msg.sender);
        }
        if (account == address(0)) revert ZeroAddress();
        _submitters[operator] = account;
        emit SubmitterChanged(operator, account);
    }

    /// @notice Index of the newest recorded checkpoint; 0 before the first.
    function lastIndex() external view returns (uint64) {
        return _lastIndex;
    }

    /// @notice Number of leaves under the newest recorded checkpoint.
    function lastSize() external view returns (uint64) {
        return _lastSize;
    }

    /// @notice The group key: x-coordinate and the parity of y.
    function groupKey() external view returns (uint256 x, uint8 parity) {
        return (_groupX, _groupParity);
    }

    /// @notice The account that submits for an operator; zero when there is no such operator.
    function submitterOf(uint16 operator) external view returns (address) {
        return _submitters[operator];
    }

    /// @notice The address of an operator's ledger key; zero when there is no such operator.
    function ledgerOf(uint16 operator) external view returns (address) {
        return _ledgers[operator];
    }

    /// @notice The contract that delivers results; zero before it is set.
    function serviceManager() external view returns (address) {
        return _serviceManager;
    }

    /// @notice Whether proofs under this checkpoint are accepted: recorded, and still in the ring.
    function isRecorded(uint64 index, uint64 size, bytes32 root) public view returns (bool) {
        return _ring[index % RING_LENGTH] == keccak256(abi.encode(index, size, root));
    }

    /// @notice Whether the leaf was executed, successfully or not.
    function isExecuted(uint64 leafIndex) public view returns (bool) {
        return _executed[leafIndex >> 8] & (1 << (leafIndex & 0xff)) != 0;
    }

    /// @notice The 32 bytes that the group signs for a checkpoint.
    function checkpointMessage(Checkpoint calldata checkpoint) public view returns (bytes32) {
        return keccak256(
            abi.encode(
                CHECKPOINT_TAG,
                block.chainid,
                address(this),
                checkpoint.index,
                checkpoint.size,
                checkpoint.root,
                checkpoint.start,
                checkpoint.window,
                checkpoint.submitters
            )
        );
    }

    /// @notice Whether a leaf stands at its index in the tree of `size` leaves with `root`.
    function verifyInclusion(
        Leaf calldata leaf,
        bytes32[] calldata siblings,
        uint64 size,
        bytes32 root
    ) public pure returns (bool) {
        return Inclusion.verify(keccak256(abi.encode(leaf)), leaf.index, size, siblings, root);
    }

    function _register(OperatorAccount memory account) private {
        if (account.operator == 0 || _ledgers[account.operator] != address(0)) {
            revert InvalidOperator(account.operator);
        }
        if (account.ledger == address(0) || account.submitter == address(0)) revert ZeroAddress();
        _ledgers[account.operator] = account.ledger;
        _submitters[account.operator] = account.submitter;
        emit SubmitterChanged(account.operator, account.submitter);
    }

    /// @dev An empty fund never stops a submission: the credit waits until somebody funds it.
    function _record(
        Checkpoint calldata checkpoint,
        uint256 rx,
        uint256 ry,
        uint256 z,
        uint16 operator
    ) private {
        if (checkpoint.size < _lastSize) revert SizeShrinks(_lastSize, checkpoint.size);
        uint256 window = Windows.current(checkpoint);
        if (!Windows.isOpenTo(checkpoint.submitters, operator, window)) {
            revert WindowClosed(operator, window);
        }
        bytes32 message = checkpointMessage(checkpoint);
        if (!Frost.verify(message, _groupX, _groupParity, rx, ry, z)) revert InvalidSignature();
        _lastIndex = checkpoint.index;
        _lastSize = checkpoint.size;
        _ring[checkpoint.index % RING_LENGTH] =
            keccak256(abi.encode(checkpoint.index, checkpoint.size, checkpoint.root));
        uint256 pay = block.basefee * SUBMISSION_GAS + _tipWei;
        _addCredit(msg.sender, pay);
        emit CheckpointRecorded(
            checkpoint.index,
            checkpoint.size,
            checkpoint.root,
            operator,
            uint8(window < 255 ? window : 255),
            msg.sender,
            uint64(block.timestamp),
            pay
        );
    }

    function _checkPermit(uint16 operator, address sender, uint64 deadline, bytes calldata permit)
        private
        view
    {
        if (block.timestamp > deadline) revert PermitExpired(deadline);
        address signer = _permitSigner(permitDigest(operator, sender, deadline), permit);
        bool isOperators = signer == _ledgers[operator] || signer == _submitters[operator];
        if (signer == address(0) || !isOperators) revert InvalidPermit(operator);
    }

    function _checkRecorded(uint64 index, uint64 size, bytes32 root) private view {
        if (!isRecorded(index, size, root)) revert NotRecorded(index);
    }

    /// @dev Marks before it calls: the consumer may come back, and finds the leaf executed.
    function _execute(Leaf calldata leaf, bytes32[] calldata siblings, uint64 size, bytes32 root)
        private
        returns (bool success)
    {
        if (leaf.kind != KIND_RESULT) revert NotExecutable(leaf.kind);
        if (!verifyInclusion(leaf, siblings, size, root)) revert NotIncluded(leaf.index);
        address manager = _serviceManager;
        if (manager == address(0)) revert ServiceManagerNotSet();
        _executed[leaf.index >> 8] |= 1 << (leaf.index & 0xff);
        success = IServiceManager(manager).deliver(leaf, msg.sender);
        emit LeafExecuted(leaf.index, leaf.service, leaf.subject, success, msg.sender);
    }
}
