// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IResultConsumer} from "../src/IResultConsumer.sol";
import {Outbox} from "../src/Outbox.sol";
import {Leaf} from "../src/Types.sol";

/// @dev Reverts, with a reason as long as its gas allows.
contract BombConsumer is IResultConsumer {
    function onResult(Leaf calldata) external pure {
        assembly {
            revert(0, 1000000)
        }
    }
}

/// @dev Burns all gas it gets.
contract EndlessConsumer is IResultConsumer {
    function onResult(Leaf calldata) external pure {
        for (;;) {}
    }
}

/// @dev Counts, and keeps how much gas it had.
contract CountingConsumer is IResultConsumer {
    uint256 public calls;
    uint256 public gasGiven;

    function onResult(Leaf calldata) external {
        gasGiven = gasleft();
        calls++;
    }
}

/// @dev Tries to execute its own leaf again.
contract ReenteringConsumer is IResultConsumer {
    Outbox private immutable _outbox;
    uint64 private _index;
    uint64 private _size;
    bytes32 private _root;
    bool public refused;

    constructor(Outbox outbox) {
        _outbox = outbox;
    }

    function prepare(uint64 index, uint64 size, bytes32 root) external {
        (_index, _size, _root) = (index, size, root);
    }

    function onResult(Leaf calldata leaf) external {
        try _outbox.execute(leaf, new bytes32[](0), _index, _size, _root) returns (bool) {}
        catch (bytes memory reason) {
            refused = bytes4(reason) == Outbox.AlreadyExecuted.selector;
        }
    }
}
