import { element } from "../../shared/dom.js";
import { REASON } from "./amendment-forms.js";
import { samplesOf } from "./draft.js";

/**
 * @import { Amendments } from "./amendments.js"
 * @import { AssistTask } from "./assist-task.js"
 * @import { BoxEditor } from "./box-editor.js"
 * @import { Draft } from "./draft.js"
 * @import { Navigation } from "./navigation.js"
 * @import { Portraits } from "./portraits.js"
 * @import { Prompt } from "./prompt.js"
 * @import { ReviewState } from "./state.js"
 * @import { StatusLine } from "./status-line.js"
 * @import { FollowedFace } from "./types.js"
 */

/** Small pictures that show where the box was followed to. */
const SAMPLES = 8;

/**
 * Has the server follow the box that is drawn, both ways, and shows what came of it before it is saved.
 */
export class FaceFollower {
  /**
   * @param {ReviewState} state
   * @param {{ amendments: Amendments, editor: BoxEditor, navigation: Navigation, portraits: Portraits, prompt: Prompt,
   *   status: StatusLine, task: AssistTask }} parts
   */
  constructor(state, { amendments, editor, navigation, portraits, prompt, status, task }) {
    this.state = state;
    this.amendments = amendments;
    this.editor = editor;
    this.navigation = navigation;
    this.portraits = portraits;
    this.prompt = prompt;
    this.status = status;
    this.task = task;
  }

  /** Follows the box that is drawn, else the possible face or the chosen face, from this frame. */
  async begin() {
    const draft = this.draft();
    const box = draft?.box(this.state.index);
    if (!draft || !box) {
      return;
    }
    const frame = this.state.index;
    this.status.say("Following the face...");
    try {
      const found = await this.task.run(
        { frame, box, wanted: "follow" },
        {
          isWanted: () => this.state.draft === draft,
          onProgress: (done) => this.status.say(`Following the face: ${done} frames so far.`),
        },
      );
      if (found?.state === "followed" && this.state.draft === draft) {
        draft.join(found.keyframes, frame);
        this.show(draft, found);
      }
    } catch (error) {
      this.status.say(error instanceof Error ? error.message : String(error), true);
    }
  }

  /**
   * Takes the present frame for the first or the last one of the followed face.
   * @param {"from" | "to"} name
   * @returns {boolean} false when no followed face is shown
   */
  setEnd(name) {
    const draft = this.state.draft;
    if (!draft?.followed || this.prompt.number(name) === null) {
      return false;
    }
    const [first] = draft.frames;
    const to = Math.max(first, Math.min(draft.last, this.state.index));
    this.prompt.set(name, to);
    this.state.changed();
    return true;
  }

  /**
   * Gives the new face that is drawn; begins one over the possible or the chosen face where nothing is drawn.
   * @returns {Draft | null}
   */
  draft() {
    const { state } = this;
    if (state.draft && !state.draft.adds) {
      this.status.say("Only a new mask can follow a face. Save or discard this box first.", true);
      return null;
    }
    if (!state.draft) {
      const box = state.isPainted ? (state.face?.box ?? state.possibleFace?.box ?? null) : null;
      if (!this.amendments.mayBegin()) {
        return null;
      }
      if (!box) {
        this.status.say("Draw a box around the face first (d), then follow it (D).");
        return null;
      }
      state.choose(null);
      this.editor.begin(null, box);
    }
    return state.draft;
  }

  /**
   * Shows what came of it, to be saved or changed.
   * @param {Draft} draft
   * @param {FollowedFace} found
   */
  show(draft, { before, after, reason }) {
    const [first] = draft.frames;
    const limits = { min: first, max: draft.last };
    this.status.say(`Followed in frames ${first}–${draft.last}. Look at it, then save it (Enter).`);
    this.prompt.show({
      title: draft.title,
      label: "Save (Enter)",
      focus: false,
      subject: draft,
      cancel: () => this.editor.discard(),
      commands: [["follow", "Follow again from here", "Follow the face again from the box in this frame (D)"]],
      fields: [
        { type: "preview", name: "samples", preview: this.preview(draft, before, after) },
        { name: "from", label: "From frame (i)", type: "number", value: first, ...limits },
        { name: "to", label: "To frame (o)", type: "number", value: draft.last, ...limits },
        { ...REASON, value: reason },
      ],
      save: ({ number, text }) => {
        const [from, to] = [number("from"), number("to")];
        if (to < from) {
          return "The last frame must not be before the first.";
        }
        this.state.draft = null;
        this.amendments.send(draft.actionWithin(from, to), text("reason"));
        return "";
      },
    });
    this.state.changed();
  }

  /**
   * @param {Draft} draft
   * @param {string} before
   * @param {string} after
   */
  preview(draft, before, after) {
    const [first] = draft.frames;
    const samples = samplesOf(first, draft.last, SAMPLES).map((frame) =>
      element(
        "button",
        {
          type: "button",
          className: "thumb",
          title: `Go to frame ${frame}`,
          ariaLabel: `Followed face, frame ${frame}`,
          onclick: () => this.navigation.goTo(frame),
        },
        this.portraits.image(frame, draft.box(frame)),
      ),
    );
    const ends = `It starts at frame ${first} (${before}) and ends at frame ${draft.last} (${after}).`;
    return element("div", { className: "followed" }, element("div", { className: "faces" }, ...samples), ends);
  }
}
