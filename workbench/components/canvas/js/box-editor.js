import { REASON } from "./amendment-forms.js";
import { clipped, resized, shifted } from "./boxes.js";
import { Draft } from "./draft.js";

/**
 * @import { Amendments } from "./amendments.js"
 * @import { CommandName } from "./commands.js"
 * @import { Hold } from "./dragging.js"
 * @import { Jumps } from "./jumps.js"
 * @import { Projection } from "./projection.js"
 * @import { Prompt } from "./prompt.js"
 * @import { ReviewState } from "./state.js"
 * @import { StatusLine } from "./status-line.js"
 * @import { Box, Span } from "./types.js"
 */

/** @type {[command: CommandName, text: string, title: string][]} */
const ASSISTANCE = [
  ["follow", "Follow the face", "Let the box follow the face, both ways (D)"],
  ["findSimilar", "Find more like this", "Find similar places that are not masked (q)"],
];

/** Draws new boxes and resizes those of tracks, with the pointer and with the keyboard. */
export class BoxEditor {
  /**
   * @param {ReviewState} state
   * @param {Projection} projection
   * @param {{ amendments: Amendments, jumps: Jumps, prompt: Prompt, status: StatusLine }} parts
   */
  constructor(state, projection, { amendments, jumps, prompt, status }) {
    this.state = state;
    this.projection = projection;
    this.amendments = amendments;
    this.jumps = jumps;
    this.prompt = prompt;
    this.status = status;
  }

  get mayEdit() {
    return this.state.mayAmend && this.state.isPainted;
  }

  /**
   * Gives the box that a drag takes hold of; begins to resize it where nothing is being drawn.
   * @param {Hold} hold
   * @returns {Box | null}
   */
  held({ grip, track }) {
    const { draft, face, index } = this.state;
    if (!this.mayEdit) {
      return null;
    }
    if (draft) {
      return grip || track === "-2" ? draft.box(index) : null;
    }
    if (!face || !(grip || (track !== undefined && track !== "-1"))) {
      return null;
    }
    this.state.draft = new Draft(face.track);
    return face.box;
  }

  /**
   * Takes over a box that the pointer has drawn.
   * @param {Box} box
   * @param {boolean} resizes whether the pointer took hold of a box
   */
  boxed(box, resizes) {
    if (!this.mayEdit) {
      return;
    }
    const draft = (this.state.draft ??= new Draft());
    if (!draft.adds && !resizes) {
      return;
    }
    if (!draft.adds && !this.state.faceOf(draft.track)) {
      this.status.say("This track has no box in this frame. Extend the track first.", true);
      return;
    }
    this.set(draft, box);
  }

  /** Begins a new box: over the possible face that is not covered, else in the middle of what is in view. */
  drawInMiddle() {
    if (!this.amendments.mayBegin() || !this.state.isPainted) {
      return;
    }
    const { size } = this.projection;
    const possibleFace = this.state.possibleFace;
    const box = (possibleFace && clipped(possibleFace.box, size)) ?? clipped(this.projection.middleBox(), size);
    this.state.choose(null);
    if (box) {
      this.begin(null, box);
    }
  }

  /** Begins to resize the chosen face. */
  resizeChosen() {
    if (!this.amendments.mayBegin() || !this.jumps.track()) {
      return;
    }
    const face = this.state.face;
    if (face) {
      this.begin(face.track, face.box);
    } else {
      this.status.say("This track has no box in this frame.");
    }
  }

  /**
   * Moves the box that is being drawn, or resizes it.
   * @param {number} x
   * @param {number} y
   * @param {boolean} resizes
   */
  nudge(x, y, resizes) {
    const { draft, index } = this.state;
    const box = draft?.box(index);
    if (draft && box) {
      const { size } = this.projection;
      const moved = resizes ? resized(box, size, "se", x, y) : shifted(box, size, x, y);
      if (moved) {
        this.set(draft, moved);
      }
    }
  }

  /** Drops the box that is being drawn. */
  discard() {
    this.state.draft = null;
    this.prompt.close();
    this.state.changed();
  }

  /**
   * Gives the first and the last frame that the open form is about.
   * @returns {Span | null}
   */
  askedRange() {
    const [from, to, until] = ["from", "to", "until"].map((name) => this.prompt.number(name));
    if (from !== null && to !== null) {
      return [from, to];
    }
    const draft = this.state.draft;
    return draft && until !== null ? [draft.frames[0], Math.max(until, draft.last)] : null;
  }

  /**
   * @param {number | null} track
   * @param {Box} box
   */
  begin(track, box) {
    const draft = new Draft(track);
    this.state.draft = draft;
    this.set(draft, box);
  }

  /**
   * @param {Draft} draft
   * @param {Box} box
   */
  set(draft, box) {
    draft.set(this.state.index, box);
    if (this.prompt.subject === draft) {
      this.prompt.retitle(draft.title);
      this.prompt.raise("until", draft.last);
      this.prompt.lower("from", draft.frames[0]);
      this.prompt.raise("to", draft.last);
    } else {
      this.ask(draft);
    }
    this.state.changed();
  }

  /** @param {Draft} draft */
  ask(draft) {
    const last = draft.last;
    const label = draft.adds ? "Keep until frame" : "Until frame";
    this.prompt.show({
      title: draft.title,
      label: "Save (Enter)",
      focus: false,
      subject: draft,
      cancel: () => this.discard(),
      follow: (index) => (draft.adds ? { until: Math.max(draft.last, index) } : null),
      commands: draft.adds ? ASSISTANCE : [],
      fields: [{ name: "until", label, type: "number", min: last, max: this.state.count - 1, value: last }, REASON],
      save: ({ number, text }) => {
        const until = number("until");
        if (until < draft.last) {
          return `The mask must last until frame ${draft.last} or later.`;
        }
        this.state.draft = null;
        this.amendments.send(draft.action(until), text("reason"));
        return "";
      },
    });
  }
}
