import { markedSpan } from "./marked-range.js";
import { aLittleBeyond, reach, scopeOf } from "./track-ranges.js";

/**
 * @import { Amendments } from "./amendments.js"
 * @import { Jumps } from "./jumps.js"
 * @import { Prompt } from "./prompt.js"
 * @import { TextField } from "./prompt-fields.js"
 * @import { ReviewState } from "./state.js"
 * @import { StatusLine } from "./status-line.js"
 * @import { Action, Span } from "./types.js"
 */

/** @type {TextField} */
export const REASON = { name: "reason", label: "Reason", type: "text", first: true };

/**
 * @typedef {object} RangeQuestion
 * @property {string} title
 * @property {Span} range first and last frame
 * @property {(start: number, stop: number) => Action} action
 * @property {boolean} [required] whether a reason is needed
 * @property {boolean} [focus]
 * @property {(index: number) => Span | null} [follow]
 */

/** Asks what an amendment of tracks or of whole frames needs. */
export class AmendmentForms {
  /**
   * @param {ReviewState} state
   * @param {{ amendments: Amendments, jumps: Jumps, prompt: Prompt, status: StatusLine }} parts
   */
  constructor(state, { amendments, jumps, prompt, status }) {
    this.state = state;
    this.amendments = amendments;
    this.jumps = jumps;
    this.prompt = prompt;
    this.status = status;
  }

  /** Asks in which frames the mask of the chosen track is removed, and why: what is under it becomes visible. */
  askDelete() {
    const track = this.begin();
    if (!track) {
      return;
    }
    const at = this.state.index;
    /** @type {[string, string][]} */
    const options = [["whole", `whole track, frames ${track.start}–${track.stop - 1}`]];
    if (this.state.face) {
      options.push(["here", "this frame"], ["on", "from this frame on"], ["upto", "up to this frame"]);
    }
    this.prompt.show({
      title: `Remove the mask of track ${track.track} (not a face). This makes the area visible.`,
      label: "Remove",
      fields: [
        { name: "scope", label: "Frames", type: "choice", value: "whole", options },
        { ...REASON, required: true, label: "Reason (required)", hint: "for example: a poster" },
      ],
      save: ({ text }) => {
        const [start, stop] = scopeOf(track, at, text("scope"));
        this.amendments.send({ kind: "delete", track: track.track, start, stop }, text("reason"));
        return "";
      },
    });
  }

  /** Asks in which frames the person of the chosen track is kept visible, and why. */
  askVisible() {
    const track = this.begin();
    if (track) {
      this.askRange({
        title: `Keep track ${track.track} visible. This person will not be masked.`,
        range: [track.start, track.stop - 1],
        required: true,
        action: (start, stop) => ({ kind: "keep_visible", track: track.track, start, stop }),
      });
    }
  }

  /** Asks how far the chosen track is extended: up to the frame that one steps to while the form is open. */
  askExtend() {
    const track = this.begin();
    if (!track) {
      return;
    }
    const { index, count, face } = this.state;
    if (!track.start && track.stop === count && face) {
      this.status.say("This track already lasts from the first frame to the last.");
      return;
    }
    this.askRange({
      title: `Extend track ${track.track}: step to its new first or last frame`,
      range: reach(track, index) ?? aLittleBeyond(track, index, count),
      focus: false,
      follow: (to) => reach(track, to),
      action: (start, stop) => ({ kind: "extend", track: track.track, start, stop }),
    });
  }

  /** Asks which whole frames to blur: from this one to the one that one steps to while the form is open. */
  askCover() {
    if (!this.amendments.mayBegin()) {
      return;
    }
    const mark = this.state.index;
    const marked = markedSpan(this.state);
    this.askRange({
      title: "Mask whole frames: step to the last frame of the range",
      range: marked ? [marked[0], marked[1] - 1] : [mark, mark],
      focus: false,
      follow: (to) => (marked ? null : [Math.min(mark, to), Math.max(mark, to)]),
      action: (start, stop) => ({ kind: "cover", start, stop }),
    });
  }

  begin() {
    return this.amendments.mayBegin() ? this.jumps.track() : null;
  }

  /** @param {RangeQuestion} question */
  askRange({ title, range, action, required = false, focus = true, follow }) {
    const limits = { min: 0, max: this.state.count - 1 };
    const [from, to] = range;
    this.prompt.show({
      title,
      focus,
      label: focus ? "Save" : "Save (Enter)",
      follow: (index) => {
        const found = follow?.(index);
        return found ? { from: found[0], to: found[1] } : null;
      },
      fields: [
        { name: "from", label: "From frame", type: "number", value: from, ...limits },
        { name: "to", label: "To frame", type: "number", value: to, ...limits },
        { ...REASON, required, label: required ? "Reason (required)" : "Reason" },
      ],
      save: ({ number, text }) => {
        const [first, last] = [number("from"), number("to")];
        if (last < first) {
          return "The last frame must not be before the first.";
        }
        this.amendments.send(action(first, last + 1), text("reason"));
        return "";
      },
    });
  }
}
