// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IResultConsumer} from "./IResultConsumer.sol";
import {KIND_RESULT, Leaf} from "./Types.sol";

/// @title Prices that the network agreed on
/// @notice Keeps each task's result, and per symbol the one of the latest time. Leaves may arrive
/// in any order: an older one never replaces a newer.
contract PriceConsumer is IResultConsumer {
    struct Result {
        int256 price;
        uint64 time;
        /// Position in the outbox: orders results of one second.
        uint64 leafIndex;
    }

    bytes32 private constant SERVICE = "price";

    address private immutable _manager;

    mapping(bytes32 task => Result) private _results;
    mapping(bytes32 symbol => bytes32 task) private _latest;

    event PriceUpdated(bytes32 indexed symbol, bytes32 indexed task, int256 price, uint64 time);

    error NotManager(address account);
    error NotAPrice(bytes32 service, uint8 kind);
    error InvalidTime(uint64 time);
    error ResultExists(bytes32 task);

    constructor(address manager) {
        _manager = manager;
    }

    /// @inheritdoc IResultConsumer
    /// @dev The body is `abi.encode(bytes32 symbol, int256 price, uint64 time)`, time in seconds.
    function onResult(Leaf calldata leaf) external {
        if (msg.sender != _manager) revert NotManager(msg.sender);
        if (leaf.service != SERVICE || leaf.kind != KIND_RESULT) {
            revert NotAPrice(leaf.service, leaf.kind);
        }
        (bytes32 symbol, int256 price, uint64 time) =
            abi.decode(leaf.body, (bytes32, int256, uint64));
        if (time == 0) revert InvalidTime(time);
        if (_results[leaf.subject].time != 0) revert ResultExists(leaf.subject);
        _results[leaf.subject] = Result(price, time, leaf.index);
        if (_isNewer(time, leaf.index, _results[_latest[symbol]])) _latest[symbol] = leaf.subject;
        emit PriceUpdated(symbol, leaf.subject, price, time);
    }

    /// @notice The latest price of a symbol, its time, and the task that agreed on it; zeros before
    /// the first.
    function priceOf(bytes32 symbol)
        external
        view
        returns (int256 price, uint64 time, bytes32 task)
    {
        task = _latest[symbol];
        Result storage result = _results[task];
        return (result.price, result.time, task);
    }

    /// @notice The result of one task; zeros when there is none.
    function resultOf(bytes32 task) external view returns (int256 price, uint64 time) {
        Result storage result = _results[task];
        return (result.price, result.time);
    }

    function _isNewer(uint64 time, uint64 leafIndex, Result storage than)
        private
        view
        returns (bool)
    {
        return time > than.time || (time == than.time && leafIndex > than.leafIndex);
    }
}
