// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Checkpoint} from "./Types.sol";

/// @title Submission windows
/// @notice Window k lasts from start + k·window until start + (k+1)·window. In it the submitters
/// named at places 0 to k may submit; from the end of the last named one's window on, any operator.
library Windows {
    uint256 private constant PLACES = 4;

    error TooEarly(uint64 start);

    /// @notice The window that is open now. Windows of no length have all passed.
    function current(Checkpoint calldata checkpoint) internal view returns (uint256) {
        if (block.timestamp < checkpoint.start) revert TooEarly(checkpoint.start);
        if (checkpoint.window == 0) return PLACES;
        return (block.timestamp - checkpoint.start) / checkpoint.window;
    }

    /// @notice Whether a registered operator may submit in window `number`.
    function isOpenTo(uint64 submitters, uint16 operator, uint256 number)
        internal
        pure
        returns (bool)
    {
        uint256 end = 0;
        for (uint256 place = 0; place < PLACES; place++) {
            uint16 named = uint16(submitters >> (16 * (PLACES - 1 - place)));
            if (named == 0) continue;
            if (named == operator && place <= number) return true;
            end = place + 1;
        }
        return number >= end;
    }
}
