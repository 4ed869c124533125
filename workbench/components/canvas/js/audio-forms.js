import { markedSpan } from "./marked-range.js";

/**
 * @import { Amendments } from "./amendments.js"
 * @import { Prompt } from "./prompt.js"
 * @import { ReviewState } from "./state.js"
 * @import { StatusLine } from "./status-line.js"
 * @import { AudioSpan, Span } from "./types.js"
 */

/** @type {Record<AudioSpan["kind"], string>} */
const DONE = { mute: "Muted", bleep: "Bleeped" };

/** Asks whether a part of the sound is to be muted or bleeped, and why. */
export class AudioForms {
  /**
   * @param {ReviewState} state
   * @param {{ amendments: Amendments, prompt: Prompt, status: StatusLine }} parts
   * @param {(index: number) => number} secondsOf
   */
  constructor(state, { amendments, prompt, status }, secondsOf) {
    this.state = state;
    this.amendments = amendments;
    this.prompt = prompt;
    this.status = status;
    this.secondsOf = secondsOf;
    this.hasSound = false;
  }

  /** Asks about the range that is marked by keys. */
  askMarked() {
    const span = markedSpan(this.state);
    if (!this.hasSound) {
      this.status.say("This video has no sound.");
    } else if (span) {
      this.ask(span);
    } else {
      this.status.say("Mark a range first (i, o), or drag on the sound of the timeline.");
    }
  }

  /**
   * Asks about a range of frames.
   * @param {Span} span the first frame, and the first after it
   */
  ask([first, stop]) {
    if (!this.amendments.mayBegin()) {
      return;
    }
    const [from, to] = [this.secondsOf(first), this.secondsOf(stop - 1) + this.state.data.step];
    this.prompt.show({
      title: "Mute or bleep the sound",
      fields: [
        {
          ...{ type: "choice", name: "what", label: "Replace with", value: "mute" },
          options: [
            ["mute", "Silence"],
            ["bleep", "Tone"],
          ],
        },
        {
          type: "text",
          name: "start",
          label: "From (s)",
          value: from.toFixed(3),
          required: true,
          missing: "From when?",
        },
        { type: "text", name: "end", label: "To (s)", value: to.toFixed(3), required: true, missing: "Until when?" },
        {
          ...{ type: "text", name: "reason", label: "Reason", first: true, required: true },
          missing: "Enter a reason. It appears in the certificate: describe what is hidden, do not write the name.",
        },
      ],
      save: ({ number, text }) => {
        const [start, end] = [number("start"), number("end")];
        if (!(start >= 0 && start < end && Number.isFinite(end))) {
          return "Enter seconds from the first frame; the end comes after the start.";
        }
        const what = text("what") === "bleep" ? "bleep" : "mute";
        this.amendments.tell({ audio: { kind: "add", what, start, end, reason: text("reason") } });
        return "";
      },
    });
  }

  /**
   * Shows a span that was chosen, and takes it back if that is wanted.
   * @param {number} place among all
   */
  show(place) {
    const span = this.state.data.audio[place];
    if (!span || !this.amendments.mayBegin()) {
      return;
    }
    const { kind, start, end, reason } = span;
    this.prompt.show({
      title: `${DONE[kind]} from ${start.toFixed(2)} to ${end.toFixed(2)} s: ${reason}`,
      fields: [],
      label: "Remove",
      save: () => {
        this.amendments.tell({ audio: { kind: "remove", place } });
        return "";
      },
    });
  }
}

/**
 * Finds the span at a moment.
 * @param {AudioSpan[]} spans
 * @param {number} seconds
 * @returns {number | null} its place among all
 */
export function spanAt(spans, seconds) {
  const place = spans.findIndex(({ start, end }) => seconds >= start && seconds < end);
  return place < 0 ? null : place;
}
