/**
 * @import { SeenFrames } from "./seen-frames.js"
 * @import { ReviewState } from "./state.js"
 * @import { StatusLine } from "./status-line.js"
 * @import { Action, Trigger } from "./types.js"
 */

/** Sends what a person changes to the page, which checks it, writes it down and shows what came of it. */
export class Amendments {
  /**
   * @param {ReviewState} state
   * @param {SeenFrames} seen
   * @param {StatusLine} status
   * @param {Trigger} trigger
   */
  constructor(state, seen, status, trigger) {
    this.state = state;
    this.seen = seen;
    this.status = status;
    this.trigger = trigger;
    this.serial = 0;
  }

  /**
   * Sends an amendment.
   * @param {Action} action
   * @param {string} [reason]
   */
  send(action, reason = "") {
    const { revision, run } = this.state.data;
    this.serial += 1;
    this.seen.tell();
    this.trigger("act", { action, reason, serial: this.serial, revision, run, frame: this.state.index });
    this.status.say("Saving...");
  }

  /** Tells whether an amendment can be begun, and says why not: a box that is being drawn comes first. */
  mayBegin() {
    if (!this.state.mayAmend) {
      this.status.say(this.state.data.rights.why || "You can view this run but not change it.", true);
      return false;
    }
    if (this.state.draft) {
      this.status.say("Save the box first (Enter), or discard it (Esc).", true);
      return false;
    }
    return true;
  }

  /**
   * Accepts the item that is on the screen: one that was looked at before, elsewhere, is not meant.
   * @returns {boolean} whether that was possible
   */
  accept() {
    if (!this.mayBegin()) {
      return false;
    }
    const spot = this.state.shownItem;
    if (spot?.state !== "open") {
      const isLoading = !this.state.isPainted && this.state.spot?.state === "open";
      this.status.say(
        isLoading
          ? "The frame is still loading. Confirm the item when it appears."
          : "No item to check is on the screen: press n for the next.",
      );
      return false;
    }
    // The queue goes on at once; the page's answer follows.
    spot.state = "accepted";
    this.send({ kind: "accept", spot: spot.key });
    this.state.events.emit("itemsChanged", undefined);
    return true;
  }

  /**
   * Undoes an amendment.
   * @param {number} number
   */
  undo(number) {
    if (this.mayBegin()) {
      this.send({ kind: "undo", amendment: number });
    }
  }

  /** Undoes the last amendment that still counts. */
  undoLast() {
    const last = this.state.data.amendments.filter((one) => !one.undone && one.kind !== "undo").at(-1);
    if (last) {
      this.undo(last.number);
    } else {
      this.status.say("There is nothing to undo.");
    }
  }
}
