// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Leaf} from "./Types.sol";

/// @title What the Outbox needs of the service manager
interface IServiceManager {
    /// @notice Hands a proven result to its service's consumer and pays `executor`.
    /// @return success whether the consumer took it.
    function deliver(Leaf calldata leaf, address executor) external returns (bool success);
}
