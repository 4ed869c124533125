import { element } from "../../shared/dom.js";
import { REASON } from "./amendment-forms.js";
import { samplesOf } from "./draft.js";
import { fetchChecked } from "./server.js";

/**
 * @import { Amendments } from "./amendments.js"
 * @import { BoxEditor } from "./box-editor.js"
 * @import { Draft } from "./draft.js"
 * @import { Navigation } from "./navigation.js"
 * @import { Portraits } from "./portraits.js"
 * @import { Prompt } from "./prompt.js"
 * @import { ReviewState } from "./state.js"
 * @import { StatusLine } from "./status-line.js"
 * @import { AssistAnswer, FollowedFace } from "./types.js"
 */

/** Milliseconds between two looks at how far the work is. */
const PAUSE = 150;

/** Small pictures that show where the box was followed to. */
const SAMPLES = 8;

/**
 * Has the server follow the box that is drawn, both ways, and shows what came of it before it is saved. The work runs
 * in a process of its own; the canvas only asks how far it is.
 */
export class FaceFollower {
  /**
   * @param {ReviewState} state
   * @param {{ amendments: Amendments, editor: BoxEditor, navigation: Navigation, portraits: Portraits, prompt: Prompt,
   *   status: StatusLine }} parts
   */
  constructor(state, { amendments, editor, navigation, portraits, prompt, status }) {
    this.state = state;
    this.amendments = amendments;
    this.editor = editor;
    this.navigation = navigation;
    this.portraits = portraits;
    this.prompt = prompt;
    this.status = status;
    /** Number of the latest request; what comes for an earlier one is out of date. */
    this.latest = 0;
    /** @type {string | null} address of the work that is under way */
    this.address = null;
  }

  /** Follows the box that is drawn, else the possible face or the chosen face, from this frame. */
  async begin() {
    const draft = this.draft();
    const box = draft?.box(this.state.index);
    if (!draft || !box) {
      return;
    }
    const frame = this.state.index;
    this.latest += 1;
    const request = this.latest;
    this.status.say("Following the face...");
    try {
      const found = await this.follow(request, draft, frame, box);
      if (found && request === this.latest && this.state.draft === draft) {
        draft.join(found.keyframes, frame);
        this.show(draft, found);
      }
    } catch (error) {
      if (request === this.latest) {
        this.status.say(error instanceof Error ? error.message : String(error), true);
      }
    }
  }

  /** Ends the work that is under way. */
  end() {
    this.latest += 1;
    if (this.address) {
      // It may have ended by itself meanwhile, which is as good.
      fetchChecked(this.address, { method: "DELETE" }).catch(() => {});
      this.address = null;
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
   * @param {number} request
   * @param {Draft} draft
   * @param {number} frame
   * @param {number[]} box
   * @returns {Promise<FollowedFace | null>} null when it is not wanted any more
   */
  async follow(request, draft, frame, box) {
    const base = this.state.data.urls.assist;
    const started = await fetchChecked(base, { method: "POST", body: JSON.stringify({ frame, box }) });
    const address = `${base}/${(await started.json()).serial}`;
    this.address = address;
    while (request === this.latest) {
      if (this.state.draft !== draft) {
        this.end();
        return null;
      }
      const answer = /** @type {AssistAnswer} */ (await (await fetchChecked(address)).json());
      if (answer.state === "failed") {
        throw new Error(answer.sentence);
      }
      if (answer.state === "followed") {
        return answer;
      }
      this.status.say(answer.total ? `Following the face: ${answer.done} frames so far.` : "Following the face...");
      await new Promise((resolve) => {
        setTimeout(resolve, PAUSE);
      });
    }
    return null;
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
    const ends = `Before frame ${first} ${before}; after frame ${draft.last} ${after}.`;
    return element("div", { className: "followed" }, element("div", { className: "faces" }, ...samples), ends);
  }
}
