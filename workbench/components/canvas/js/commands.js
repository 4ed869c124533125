/**
 * @import { AmendmentForms } from "./amendment-forms.js"
 * @import { Amendments } from "./amendments.js"
 * @import { AudioForms } from "./audio-forms.js"
 * @import { BoxEditor } from "./box-editor.js"
 * @import { FaceFollower } from "./face-follower.js"
 * @import { Filmstrip } from "./filmstrip.js"
 * @import { FrameDisplay } from "./frame-display.js"
 * @import { Help } from "./help.js"
 * @import { Jumps } from "./jumps.js"
 * @import { Navigation } from "./navigation.js"
 * @import { NoteForms } from "./note-forms.js"
 * @import { PersonForms } from "./person-forms.js"
 * @import { PictureControls } from "./picture-controls.js"
 * @import { Playback } from "./playback.js"
 * @import { Prompt } from "./prompt.js"
 * @import { ReviewState } from "./state.js"
 * @import { SimilarSearch } from "./similar-search.js"
 * @import { Sound } from "./sound.js"
 * @import { Timeline } from "./timeline.js"
 * @import { ViewSwitch } from "./view-switch.js"
 * @import { Zoom } from "./zoom.js"
 */

/** @typedef {(repeated: boolean) => unknown} Command is told whether its key is held down */

/** @typedef {keyof ReturnType<typeof commandsOf>} CommandName */

/** @typedef {Record<CommandName, Command>} Commands */

/**
 * @typedef {object} CommandParts
 * @property {Amendments} amendments
 * @property {AudioForms} audio
 * @property {PersonForms} deciding
 * @property {BoxEditor} editor
 * @property {FrameDisplay} display
 * @property {Filmstrip} filmstrip
 * @property {FaceFollower} follower
 * @property {AmendmentForms} forms
 * @property {Help} help
 * @property {Jumps} jumps
 * @property {Navigation} navigation
 * @property {NoteForms} noting
 * @property {PictureControls} picture
 * @property {Playback} playback
 * @property {Prompt} prompt
 * @property {SimilarSearch} search
 * @property {Sound} sound
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
  const { amendments, audio, deciding, display, editor, filmstrip, follower, forms, help, jumps } = parts;
  const { navigation, noting, picture, playback, prompt, search, sound, state, timeline, views, zoom } = parts;
  /** @type {(person: () => void, track: () => void) => void} decides about the person whose card is open, if one is */
  const aboutPerson = (person, track) => (state.personKey === null ? track() : person());
  const acceptItem = () => {
    if (amendments.accept()) {
      jumps.itemBy(1);
    }
  };
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
    playOn: () => playback.shuttle(1),
    playBack: () => playback.shuttle(-1),
    pause: () => playback.pause(),
    loop: () => playback.toggleLoop(),
    markIn: () => follower.setEnd("from") || mark(state, { markIn: state.index }),
    markOut: () => follower.setEnd("to") || mark(state, { markOut: state.index }),
    unmark: () => mark(state, { markIn: null, markOut: null }),
    nextPerson: () => jumps.personBy(1),
    prevPerson: () => jumps.personBy(-1),
    personMasked: () => deciding.askMasked(),
    personNotAFace: () => deciding.askNotAFace(),
    personVisible: () => deciding.askVisible(),
    personJoin: () => deciding.join(),
    personSplit: () => deciding.askSplit(),
    personName: () => deciding.askName(),
    personUndo: () => amendments.arrange({ kind: "undo" }),
    accept: () => aboutPerson(() => deciding.askMasked(), acceptItem),
    draw: () => editor.drawInMiddle(),
    follow: () => follower.begin(),
    findSimilar: () => search.begin(),
    resize: () => editor.resizeChosen(),
    delete: () =>
      aboutPerson(
        () => deciding.askNotAFace(),
        () => forms.askDelete(),
      ),
    extend: () => forms.askExtend(),
    visible: () =>
      aboutPerson(
        () => deciding.askVisible(),
        () => forms.askVisible(),
      ),
    cover: () => forms.askCover(),
    sound: () => sound.toggle(),
    silence: () => audio.askMarked(),
    note: () => noting.ask(),
    noteOnRun: () => noting.askOnRun(),
    reason: () => prompt.focusReason(),
    save: () => prompt.submit(),
    undoLast: () => amendments.undoLast(),
    redoLast: () => amendments.redoLast(),
    hideBoxes: () => picture.toggleBoxes(),
    plainPicture: () => picture.reset(),
    toggleAfter: () => views.toggle("after"),
    toggleSplit: () => views.toggle("split"),
    zoomIn: () => zoom.by(ZOOM),
    zoomOut: () => zoom.by(1 / ZOOM),
    fit: () => zoom.fit(),
    zoomToFace: () => zoom.toggleCloseUp(),
    filmstrip: () => filmstrip.toggle(),
    span: () => timeline.toggleSpan(),
    help: () => help.toggle(),
    escape: () => escape(parts),
  });
}

/**
 * Marks a range of frames, or removes its marks.
 * @param {ReviewState} state
 * @param {Partial<Pick<ReviewState, "markIn" | "markOut">>} marks
 */
function mark(state, marks) {
  Object.assign(state, marks);
  state.changed();
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
