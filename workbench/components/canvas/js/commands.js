/**
 * @import { AmendmentForms } from "./amendment-forms.js"
 * @import { Amendments } from "./amendments.js"
 * @import { BoxEditor } from "./box-editor.js"
 * @import { Filmstrip } from "./filmstrip.js"
 * @import { FrameDisplay } from "./frame-display.js"
 * @import { Help } from "./help.js"
 * @import { Jumps } from "./jumps.js"
 * @import { Navigation } from "./navigation.js"
 * @import { Playback } from "./playback.js"
 * @import { Prompt } from "./prompt.js"
 * @import { ReviewState } from "./state.js"
 * @import { Timeline } from "./timeline.js"
 * @import { ViewSwitch } from "./view-switch.js"
 * @import { Zoom } from "./zoom.js"
 */

/** @typedef {(repeated: boolean) => void} Command is told whether its key is held down */

/** @typedef {keyof ReturnType<typeof commandsOf>} CommandName */

/** @typedef {Record<CommandName, Command>} Commands */

/**
 * @typedef {object} CommandParts
 * @property {Amendments} amendments
 * @property {BoxEditor} editor
 * @property {FrameDisplay} display
 * @property {Filmstrip} filmstrip
 * @property {AmendmentForms} forms
 * @property {Help} help
 * @property {Jumps} jumps
 * @property {Navigation} navigation
 * @property {Playback} playback
 * @property {Prompt} prompt
 * @property {ReviewState} state
 * @property {Timeline} timeline
 * @property {ViewSwitch} views
 * @property {Zoom} zoom
 */

const SLOW = 0.25;
const FAR = 10;
const ZOOM = 1.5;

/**
 * Lists everything that a key or a button can do; buttons name it in `data-do`.
 * @param {CommandParts} parts
 */
export function commandsOf(parts) {
  const { amendments, display, editor, filmstrip, forms, help, jumps, navigation } = parts;
  const { playback, prompt, state, timeline, views, zoom } = parts;
  return /** @satisfies {Record<string, Command>} */ ({
    on: (repeated) => navigation.step(1, repeated),
    back: (repeated) => navigation.step(-1, repeated),
    on10: (repeated) => navigation.step(FAR, repeated),
    back10: (repeated) => navigation.step(-FAR, repeated),
    firstFrame: () => navigation.goTo(0),
    lastFrame: () => navigation.goTo(state.count - 1),
    frameNumber: () => display.focusNumber(),
    play: () => playback.toggle(),
    playSlowly: () => playback.toggle(SLOW),
    nextItem: () => jumps.itemBy(1),
    prevItem: () => jumps.itemBy(-1),
    nextCut: () => jumps.cutBy(1),
    prevCut: () => jumps.cutBy(-1),
    nextFace: () => jumps.faceBy(1),
    prevFace: () => jumps.faceBy(-1),
    nextTrack: () => jumps.trackBy(1),
    prevTrack: () => jumps.trackBy(-1),
    trackStart: () => jumps.trackStart(),
    trackEnd: () => jumps.trackEnd(),
    accept: () => {
      if (amendments.accept()) {
        jumps.itemBy(1);
      }
    },
    draw: () => editor.drawInMiddle(),
    resize: () => editor.resizeChosen(),
    delete: () => forms.askDelete(),
    extend: () => forms.askExtend(),
    visible: () => forms.askVisible(),
    cover: () => forms.askCover(),
    reason: () => prompt.focusReason(),
    save: () => prompt.submit(),
    undoLast: () => amendments.undoLast(),
    toggleAfter: () => views.toggle("after"),
    toggleSplit: () => views.toggle("split"),
    zoomIn: () => zoom.by(ZOOM),
    zoomOut: () => zoom.by(1 / ZOOM),
    fit: () => zoom.fit(),
    zoomToFace: () => zoom.toggleCloseUp(),
    filmstrip: () => filmstrip.toggle(),
    span: () => {
      timeline.toggleSpan();
      state.changed();
    },
    help: () => help.toggle(),
    escape: () => escape(parts),
  });
}

/**
 * Leaves the innermost of what is open.
 * @param {CommandParts} parts
 */
function escape({ editor, help, playback, prompt, state }) {
  if (help.open) {
    help.toggle();
  } else if (prompt.open) {
    prompt.close();
  } else if (state.draft) {
    editor.discard();
  } else if (state.playing) {
    playback.pause();
  } else {
    state.choose(null);
  }
}
