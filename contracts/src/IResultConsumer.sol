// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Leaf} from "./Types.sol";

/// @title Receiver of a service's results
interface IResultConsumer {
    /// @notice Takes a proven result. Called once per leaf, in any order, with the service's gas
    /// limit; a revert is recorded as a failed delivery and is not repeated.
    function onResult(Leaf calldata leaf) external;
}
