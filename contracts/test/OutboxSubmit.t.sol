// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Outbox} from "../src/Outbox.sol";
import {SubmissionPermits} from "../src/SubmissionPermits.sol";
import {Checkpoint} from "../src/Types.sol";
import {Windows} from "../src/Windows.sol";
import {Fixture} from "./Fixture.sol";
import {Schnorr} from "./Schnorr.sol";
import {vm} from "./Support.sol";

contract OutboxSubmitTest is Fixture {
    bytes32 private constant ROOT = keccak256("root");

    function setUp() external {
        _deploy();
    }

    function test_submit_recordsAndCredits() external {
        Checkpoint memory c = _checkpoint(1, 10, ROOT);
        Schnorr.Signature memory s = _sign(outbox.checkpointMessage(c));
        uint256 pay = SUBMISSION_GAS * 1 gwei + TIP;
        vm.expectEmit(address(outbox));
        emit Outbox.CheckpointRecorded(1, 10, ROOT, 1, 0, _submitter(1), START, pay);
        vm.prank(_submitter(1));
        check(outbox.submit(c, s.rx, s.ry, s.z, 1), "recorded");
        checkEqual(outbox.lastIndex(), 1);
        checkEqual(outbox.lastSize(), 10);
        checkEqual(outbox.creditOf(_submitter(1)), pay);
        check(outbox.isRecorded(1, 10, ROOT), "in the ring");
        check(!outbox.isRecorded(1, 11, ROOT), "another size is not");
    }

    function test_submit_alreadyRecordedIsSuccessUnpaid() external {
        _submit(_checkpoint(5, 10, ROOT), 1);
        uint256 credit = outbox.creditOf(_submitter(1));
        vm.recordLogs();
        check(!_submit(_checkpoint(5, 10, ROOT), 1), "the same one");
        check(!_submit(_checkpoint(4, 9, ROOT), 2), "one that a newer has superseded");
        vm.prank(address(99));
        check(!outbox.submit(_checkpoint(3, 9, ROOT), 0, 0, 0, 77), "whoever asks");
        checkEqual(vm.getRecordedLogs().length, 0);
        checkEqual(outbox.creditOf(_submitter(1)), credit);
        checkEqual(outbox.creditOf(_submitter(2)), 0);
        checkEqual(outbox.lastIndex(), 5);
    }

    function test_submit_skipsIndices() external {
        _submit(_checkpoint(1, 10, ROOT), 1);
        check(_submit(_checkpoint(9, 10, ROOT), 1), "any index above the last, the same size");
        check(outbox.isRecorded(1, 10, ROOT), "older roots stay");
    }

    function test_submit_refusesAShrinkingSize() external {
        _submit(_checkpoint(1, 10, ROOT), 1);
        bytes memory reason = abi.encodeWithSelector(Outbox.SizeShrinks.selector, 10, 9);
        _refuse(_checkpoint(2, 9, ROOT), 1, reason);
    }

    function test_submit_refusesBeforeTheStart() external {
        vm.warp(START - 1);
        bytes memory reason = abi.encodeWithSelector(Windows.TooEarly.selector, START);
        _refuse(_checkpoint(1, 10, ROOT), 1, reason);
    }

    function test_submit_opensWindowByWindow() external {
        Checkpoint memory c = _checkpoint(1, 10, ROOT);
        for (uint16 operator = 2; operator <= 4; operator++) {
            // Operator 4 is not named: it comes when window 2, the last one, has ended.
            uint256 opens = START + uint256(WINDOW) * (operator - 1);
            vm.warp(opens - 1);
            _refuse(c, operator, _closed(operator, operator - 2));
        }
        uint64 index = 1;
        for (uint16 operator = 1; operator <= 6; operator++) {
            uint256 opens = START + uint256(WINDOW) * (operator < 4 ? operator - 1 : 3);
            vm.warp(opens);
            check(_submit(_checkpoint(index++, 10, ROOT), operator), "its window is open");
        }
        vm.warp(START + 1000 * uint256(WINDOW));
        check(_submit(_checkpoint(index, 10, ROOT), 1), "the owner may still come last");
    }

    function test_submit_eventNamesTheWindow() external {
        Checkpoint memory c = _checkpoint(1, 10, ROOT);
        Schnorr.Signature memory s = _sign(outbox.checkpointMessage(c));
        vm.warp(START + 2 * uint256(WINDOW));
        uint256 pay = SUBMISSION_GAS * 1 gwei + TIP;
        vm.expectEmit(address(outbox));
        emit Outbox.CheckpointRecorded(
            1, 10, ROOT, 2, 2, _submitter(2), START + 2 * uint64(WINDOW), pay
        );
        vm.prank(_submitter(2));
        outbox.submit(c, s.rx, s.ry, s.z, 2);
    }

    function test_submit_withoutNamesIsOpenToEveryOperator() external {
        Checkpoint memory c = Checkpoint(1, 10, ROOT, START, WINDOW, 0);
        check(_submit(c, 6), "no window is anyone's");
        c = Checkpoint(2, 10, ROOT, START, 0, NAMED);
        check(_submit(c, 6), "windows of no length have passed");
    }

    function test_submit_refusesWhoIsNotTheSubmitter() external {
        Checkpoint memory c = _checkpoint(1, 10, ROOT);
        Schnorr.Signature memory s = _sign(outbox.checkpointMessage(c));
        vm.expectRevert(abi.encodeWithSelector(Outbox.NotSubmitter.selector, 1, _submitter(2)));
        vm.prank(_submitter(2));
        outbox.submit(c, s.rx, s.ry, s.z, 1);
        vm.expectRevert(abi.encodeWithSelector(Outbox.NotSubmitter.selector, 77, address(this)));
        outbox.submit(c, s.rx, s.ry, s.z, 77);
    }

    function testFuzz_submit_refusesEveryOtherCheckpoint(uint8 field, uint64 delta) external {
        Checkpoint memory c = _checkpoint(1, 10, ROOT);
        Schnorr.Signature memory s = _sign(outbox.checkpointMessage(c));
        delta = uint64(within(delta, 1, 1000));
        field = uint8(within(field, 0, 5));
        if (field == 0) c.index += delta;
        if (field == 1) c.size += delta;
        if (field == 2) c.root ^= bytes32(uint256(delta));
        if (field == 3) c.start -= delta;
        if (field == 4) c.window += uint32(delta);
        if (field == 5) c.submitters = 0x0001_0002_0003_0000 + delta;
        vm.expectRevert(Outbox.InvalidSignature.selector);
        vm.prank(_submitter(1));
        outbox.submit(c, s.rx, s.ry, s.z, 1);
    }

    function test_submit_worksWithAnEmptyFundAndPaysLater() external {
        checkEqual(address(outbox).balance, 0);
        _submit(_checkpoint(1, 10, ROOT), 1);
        uint256 credit = outbox.creditOf(_submitter(1));
        outbox.claim(payable(_submitter(1)));
        checkEqual(outbox.creditOf(_submitter(1)), credit);

        _fund(credit - 5);
        outbox.claim(payable(_submitter(1)));
        checkEqual(_submitter(1).balance, credit - 5);
        checkEqual(outbox.creditOf(_submitter(1)), 5);
        _fund(100);
        outbox.claim(payable(_submitter(1)));
        checkEqual(_submitter(1).balance, credit);
        checkEqual(outbox.creditOf(_submitter(1)), 0);
        outbox.claim(payable(_submitter(1)));
        checkEqual(_submitter(1).balance, credit);
        checkEqual(address(outbox).balance, 95);
    }

    function test_claim_refusesWhenTheAccountDoes() external {
        vm.prank(vm.addr(_ledgerSecret(1)));
        outbox.setSubmitter(1, address(this));
        Checkpoint memory c = _checkpoint(1, 10, ROOT);
        Schnorr.Signature memory s = _sign(outbox.checkpointMessage(c));
        outbox.submit(c, s.rx, s.ry, s.z, 1);
        _fund(1 ether);
        uint256 credit = outbox.creditOf(address(this));
        vm.expectRevert();
        outbox.claim(payable(address(this)));
        checkEqual(outbox.creditOf(address(this)), credit);
    }

    function test_ring_forgetsTheCheckpoint256Before() external {
        for (uint64 i = 1; i <= 257; i++) {
            _submit(_checkpoint(i, i, ROOT), 1);
        }
        check(!outbox.isRecorded(1, 1, ROOT), "overwritten");
        for (uint64 i = 2; i <= 257; i++) {
            check(outbox.isRecorded(i, i, ROOT), "the last 256 stay");
        }
    }

    function test_permit_letsAnotherAccountSubmit() external {
        _submitWithPermit(_ledgerSecret(1), 1, START + 9, address(50), 1, "");
        check(outbox.creditOf(address(50)) > 0, "the sender is credited");
        checkEqual(outbox.creditOf(_submitter(1)), 0);
        _submitWithPermit(_submitterSecret(1), 1, START, address(50), 2, "");
        checkEqual(outbox.lastIndex(), 2);
    }

    function test_permit_obeysTheOperatorsWindow() external {
        _submitWithPermit(_ledgerSecret(2), 2, START + 9, address(50), 1, _closed(2, 0));
    }

    function test_permit_refusesOthers() external {
        _submitWithPermit(_ledgerSecret(2), 1, START + 9, address(50), 1, _badPermit(1));
        _submitWithPermit(_ledgerSecret(2), 77, START + 9, address(50), 1, _badPermit(77));
        bytes memory reason = abi.encodeWithSelector(Outbox.NotSubmitter.selector, 1, address(51));
        _submitWithPermit(_ledgerSecret(1), 1, START + 9, address(51), 1, reason);
        reason = abi.encodeWithSelector(SubmissionPermits.PermitExpired.selector, START - 1);
        _submitWithPermit(_ledgerSecret(1), 1, START - 1, address(50), 1, reason);
    }

    function test_permit_refusesWhatIsNoSignature() external {
        Checkpoint memory c = _checkpoint(1, 10, ROOT);
        Schnorr.Signature memory g = _sign(outbox.checkpointMessage(c));
        bytes memory permit = _permit(_ledgerSecret(1), 1, address(this), START);
        bytes[3] memory bent = [_highS(permit), abi.encodePacked(permit, uint8(0)), bytes("")];
        for (uint256 i = 0; i < bent.length; i++) {
            vm.expectRevert(_badPermit(1));
            outbox.submitWithPermit(c, g.rx, g.ry, g.z, 1, address(this), START, bent[i]);
            // An id without operator has the zero address, which is what a bad signature recovers.
            vm.expectRevert(_badPermit(77));
            outbox.submitWithPermit(c, g.rx, g.ry, g.z, 77, address(this), START, bent[i]);
        }
        check(
            outbox.submitWithPermit(c, g.rx, g.ry, g.z, 1, address(this), START, permit),
            "the permit itself is good"
        );
        check(
            !outbox.submitWithPermit(c, g.rx, g.ry, g.z, 1, address(this), START, permit),
            "again: already recorded"
        );
    }

    function _fund(uint256 amount) private {
        vm.deal(address(this), amount);
        (bool sent,) = address(outbox).call{value: amount}("");
        check(sent, "anyone may fund");
    }

    function _closed(uint16 operator, uint256 window) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Outbox.WindowClosed.selector, operator, window);
    }

    function _badPermit(uint16 operator) private pure returns (bytes memory) {
        return abi.encodeWithSelector(SubmissionPermits.InvalidPermit.selector, operator);
    }

    function _permit(uint256 secret, uint16 operator, address sender, uint64 deadline)
        private
        view
        returns (bytes memory)
    {
        bytes32 digest = outbox.permitDigest(operator, sender, deadline);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(secret, digest);
        return abi.encodePacked(r, s, v);
    }

    function _highS(bytes memory permit) private pure returns (bytes memory) {
        (bytes32 r, uint256 s) = (bytes32(0), 0);
        assembly {
            r := mload(add(permit, 32))
            s := mload(add(permit, 64))
        }
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        return abi.encodePacked(r, order - s, uint8(permit[64]) ^ 7);
    }

    /// @dev The permit names account 50; `caller` presents it. No `reason` means it is accepted.
    function _submitWithPermit(
        uint256 secret,
        uint16 operator,
        uint64 deadline,
        address caller,
        uint64 index,
        bytes memory reason
    ) private {
        Checkpoint memory c = _checkpoint(index, 10, ROOT);
        Schnorr.Signature memory g = _sign(outbox.checkpointMessage(c));
        bytes memory permit = _permit(secret, operator, address(50), deadline);
        if (reason.length != 0) vm.expectRevert(reason);
        vm.prank(caller);
        outbox.submitWithPermit(c, g.rx, g.ry, g.z, operator, address(50), deadline, permit);
    }
}
