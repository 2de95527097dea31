// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Credits} from "./Credits.sol";
import {IResultConsumer} from "./IResultConsumer.sol";
import {IServiceManager} from "./IServiceManager.sol";
import {Leaf} from "./Types.sol";

/// @title Services, what they pay for delivery, and what clients deposit
/// @notice Holds the consumer of each service and the fund that pays for its deliveries, and takes
/// the deposits that the ledger credits to its clients.
contract ServiceManager is IServiceManager, Credits {
    struct Service {
        address consumer;
        uint32 gasLimit;
    }

    /// @dev What a delivery costs its executor besides the consumer's own gas.
    uint256 private constant DELIVERY_GAS = 90_000;
    /// @dev Added to the pay of each delivery.
    uint256 private constant DELIVERY_TIP_WEI = 20_000 gwei;
    /// @dev A delivery must fit a transaction (2²⁴ gas, EIP-7825) with room for its proof.
    uint32 private constant MAX_GAS_LIMIT = 10_000_000;
    /// @dev Gas between the check of what is left and the start of the consumer, at most.
    uint256 private constant CALL_GAS = 5_000;

    address private immutable _outbox;
    address private immutable _owner;

    mapping(bytes32 service => Service) private _services;
    mapping(bytes32 service => uint256) private _funds;

    event Deposited(address indexed account, uint256 amount);
    event ServiceRegistered(bytes32 indexed service, address indexed consumer, uint32 gasLimit);
    event ServiceFunded(bytes32 indexed service, address indexed from, uint256 amount);
    event ResultDelivered(bytes32 indexed service, bytes32 indexed subject, bool success);

    error NotOwner(address account);
    error NotOutbox(address account);
    error NotAContract(address account);
    error InvalidGasLimit(uint32 gasLimit);
    error UnknownService(bytes32 service);
    error NotEnoughGas(uint256 gasLimit);

    /// @param outbox_ the only account that may deliver.
    constructor(address outbox_) {
        if (outbox_.code.length == 0) revert NotAContract(outbox_);
        _outbox = outbox_;
        _owner = msg.sender;
    }

    /// @notice Names a service's consumer, or another one; by the owner.
    /// @param gasLimit what the consumer gets per result, and what its executor is paid for.
    function registerService(bytes32 service, address consumer, uint32 gasLimit) external {
        if (msg.sender != _owner) revert NotOwner(msg.sender);
        if (consumer.code.length == 0) revert NotAContract(consumer);
        if (gasLimit == 0 || gasLimit > MAX_GAS_LIMIT) revert InvalidGasLimit(gasLimit);
        _services[service] = Service(consumer, gasLimit);
        emit ServiceRegistered(service, consumer, gasLimit);
    }

    /// @notice Pays into an account of the ledger, which credits it when it has seen the event.
    function deposit(address account) external payable {
        emit Deposited(account, msg.value);
    }

    /// @notice Pays into the fund of a service's deliveries.
    function fund(bytes32 service) external payable {
        if (_services[service].consumer == address(0)) revert UnknownService(service);
        _funds[service] += msg.value;
        emit ServiceFunded(service, msg.sender, msg.value);
    }

    /// @inheritdoc IServiceManager
    /// @dev Never reverts because of the consumer. It reverts, and the leaf stays executable, when
    /// the service is unknown or the executor sent too little gas for the consumer's limit.
    function deliver(Leaf calldata leaf, address executor) external returns (bool success) {
        if (msg.sender != _outbox) revert NotOutbox(msg.sender);
        Service memory service = _services[leaf.service];
        if (service.consumer == address(0)) revert UnknownService(leaf.service);
        _payExecutor(leaf.service, service.gasLimit, executor);
        bytes memory data = abi.encodeCall(IResultConsumer.onResult, (leaf));
        success = _callConsumer(service.consumer, service.gasLimit, data);
        emit ResultDelivered(leaf.service, leaf.subject, success);
    }

    /// @notice The contract that receives a service's results; zero when it is unknown.
    function consumerOf(bytes32 service) external view returns (address) {
        return _services[service].consumer;
    }

    /// @notice The gas that a service's consumer gets per result.
    function gasLimitOf(bytes32 service) external view returns (uint32) {
        return _services[service].gasLimit;
    }

    /// @notice What is left to pay a service's deliveries, in wei.
    function fundOf(bytes32 service) external view returns (uint256) {
        return _funds[service];
    }

    /// @notice The account that admits services.
    function owner() external view returns (address) {
        return _owner;
    }

    /// @notice The contract whose proven leaves are delivered.
    function outbox() external view returns (address) {
        return _outbox;
    }

    /// @dev Base fee, not gas price: an executor cannot raise its own pay. The whole limit is paid,
    /// so that delivering never costs more than it brings. Too small a fund pays nothing.
    function _payExecutor(bytes32 service, uint32 gasLimit, address executor) private {
        uint256 pay = block.basefee * (DELIVERY_GAS + gasLimit) + DELIVERY_TIP_WEI;
        uint256 available = _funds[service];
        if (available < pay) return;
        _funds[service] = available - pay;
        _addCredit(executor, pay);
    }

    /// @dev A call passes on at most 63/64 of the gas that is left (EIP-150): an executor who sends
    /// less than the limit needs is refused, or it could fail any consumer on purpose. What the
    /// consumer returns is never copied, however long it is.
    function _callConsumer(address consumer, uint32 gasLimit, bytes memory data)
        private
        returns (bool success)
    {
        if (consumer.code.length == 0) return false;
        if (gasleft() * 63 / 64 < gasLimit + CALL_GAS) revert NotEnoughGas(gasLimit);
        assembly ("memory-safe") {
            success := call(gasLimit, consumer, 0, add(data, 0x20), mload(data), 0, 0)
        }
    }
}
