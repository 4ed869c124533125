import { part } from "../../shared/dom.js";
import { AddressBar } from "./address-bar.js";
import { AmendmentForms } from "./amendment-forms.js";
import { Amendments } from "./amendments.js";
import { AssistTask } from "./assist-task.js";
import { AudioForms, spanAt } from "./audio-forms.js";
import { BoxEditor } from "./box-editor.js";
import { commandsOf } from "./commands.js";
import { Controls } from "./controls.js";
import { Details } from "./details.js";
import { Dragging } from "./dragging.js";
import { FaceFollower } from "./face-follower.js";
import { Filmstrip } from "./filmstrip.js";
import { FrameCache } from "./frame-cache.js";
import { FrameDisplay } from "./frame-display.js";
import { Help } from "./help.js";
import { Jumps } from "./jumps.js";
import { Navigation } from "./navigation.js";
import { NoteForms } from "./note-forms.js";
import { Overlay } from "./overlay.js";
import { People } from "./people.js";
import { PersonForms } from "./person-forms.js";
import { PictureControls } from "./picture-controls.js";
import { Playback } from "./playback.js";
import { Portraits } from "./portraits.js";
import { Previews } from "./previews.js";
import { Prompt } from "./prompt.js";
import { SeenFrames } from "./seen-frames.js";
import { fetchChecked } from "./server.js";
import { SidePanel } from "./side-panel.js";
import { SimilarSearch } from "./similar-search.js";
import { ReviewState } from "./state.js";
import { Sound } from "./sound.js";
import { StatusLine } from "./status-line.js";
import { StillCache } from "./still-cache.js";
import { StillSource } from "./still-source.js";
import { Timeline } from "./timeline.js";
import { TimelinePeek } from "./timeline-peek.js";
import { ViewSwitch } from "./view-switch.js";
import { Viewport } from "./viewport.js";
import { Zoom } from "./zoom.js";

/** @import { ReviewData, Trigger } from "./types.js" */

/** @typedef {ReturnType<typeof partsOf>} Parts */

/**
 * Builds the parts of the canvas of one run, each with those that it needs.
 * @param {HTMLElement} root
 * @param {ReviewData} data
 * @param {Trigger} trigger
 * @param {AbortSignal} signal ends what listens
 */
export function partsOf(root, data, trigger, signal) {
  const find = (/** @type {string} */ name) => part(root, name, HTMLElement);
  const focus = () => root.focus({ preventScroll: true });

  const state = new ReviewState(data);
  const changed = () => state.changed();
  const status = new StatusLine(find("says"));
  const stills = new StillCache(data.urls.stills);
  const frames = new FrameCache(data.urls.frames, data.frames);
  const seen = new SeenFrames(data.urls.seen, data.seen, data.seen_by_anybody, data.frames);

  const viewport = new Viewport(root, { width: data.width, height: data.height }, signal);
  const { projection } = viewport;
  const source = new StillSource(state, stills, projection);
  const previews = new Previews(data.urls.previews, state);
  const display = new FrameDisplay(root, state, viewport, { frames, stills, source, previews });
  const zoom = new Zoom(state, viewport, display, status, find("zoom"));
  const views = new ViewSwitch(root.querySelectorAll("[data-view]"), state, display);

  const playback = new Playback(state, display, status, part(root, "play", HTMLButtonElement));
  const navigation = new Navigation(state, display, playback, source);
  const jumps = new Jumps(state, navigation, status);
  const strip = { canvas: part(root, "filmstrip", HTMLCanvasElement), button: find("filmstripButton") };
  const filmstrip = new Filmstrip(strip, state, { frames, source }, navigation, signal);
  const address = new AddressBar(state);

  const back = () => {
    focus();
    changed();
  };
  const prompt = new Prompt(find("ask"), { back, changed });
  const amendments = new Amendments(state, seen, status, trigger);
  const editing = { amendments, jumps, prompt, status };
  const forms = new AmendmentForms(state, editing);
  const editor = new BoxEditor(state, projection, editing);
  const dragging = new Dragging(
    viewport,
    {
      choose: (track) => state.choose(track),
      draws: () => state.draft !== null,
      grabbed: focus,
      held: (hold) => editor.held(hold),
      boxed: (box, resizes) => editor.boxed(box, resizes),
      panned: changed,
      ended: changed,
    },
    signal,
  );
  const overlay = new Overlay(viewport.boxes, projection, (track) => {
    if (!dragging.active) {
      state.choose(track);
    }
  });

  const secondsOf = (/** @type {number} */ index) => display.secondsOf(index);
  const audio = new AudioForms(state, editing, secondsOf);
  const sound = new Sound(data.urls.sound, state, secondsOf, part(root, "sound", HTMLButtonElement));
  const portraits = new Portraits(data.urls.portraits);
  const peek = new TimelinePeek(find("peek"), state, { previews, source }, (index) => display.timeOf(index));
  const timeline = new Timeline(
    { canvas: part(root, "timeline", HTMLCanvasElement), button: find("span") },
    data,
    (index) => display.timeOf(index),
    {
      go: (frame) => navigation.goTo(frame),
      scrub: (frame) => navigation.scrub(frame),
      hover: (frame, speed, x) => {
        navigation.hover(frame, speed);
        peek.show(frame, x);
      },
      sound: (span) => audio.ask(span),
      heard: (frame) => {
        const place = spanAt(state.data.audio, secondsOf(frame));
        navigation.goTo(frame);
        if (place !== null) {
          audio.show(place);
        }
      },
      left: () => peek.hide(),
      changed,
    },
    signal,
  );
  loadSound(data.urls.waveform, (peaks) => {
    timeline.takeSound(peaks);
    if (peaks.length) {
      audio.hasSound = true;
      sound.offer();
    }
  });
  const details = new Details(find("selection"), state);
  const task = new AssistTask(data.urls.assist);
  const assisting = { ...editing, editor, navigation, portraits, task };
  const follower = new FaceFollower(state, assisting);
  const search = new SimilarSearch(state, assisting);
  const people = new People(state);
  const deciding = new PersonForms(state, { amendments, prompt, status, portraits });
  deciding.onDecided = () => {
    if (state.personKey !== null) {
      jumps.personBy(1);
    }
  };
  const noting = new NoteForms(state, { amendments, prompt });
  const cards = { people, portraits };
  const panel = new SidePanel(root, state, seen, cards, {
    face: (person, face) => jumps.openPerson(person, face),
    confirm: (items, title) => deciding.askItems(items, title),
    openItem: (key) => jumps.openItem(key),
    show: (frame, track) => {
      state.choose(track);
      navigation.goTo(frame);
    },
    undo: (number) => amendments.undo(number),
    settle: (number) => noting.settle(number),
  });

  const looks = { picture: viewport.canvas, boxes: viewport.boxes, back: focus };
  const picture = new PictureControls(root, looks, signal);
  const speed = part(root, "speed", HTMLSelectElement);
  const setSpeed = () => {
    state.speed = Number(speed.value);
    focus();
  };
  speed.addEventListener("change", setSpeed, { signal });
  const help = new Help(find("help"), focus);
  const acting = { amendments, audio, deciding, display, editor, filmstrip, follower, forms, help, jumps, navigation };
  const commands = commandsOf({
    ...acting,
    noting,
    picture,
    playback,
    prompt,
    search,
    sound,
    state,
    timeline,
    views,
    zoom,
  });
  new Controls(root, { commands, editor, help, panel, prompt, state, views, zoom }, signal);

  return {
    ...{ address, amendments, details, display, editor, filmstrip, frames, navigation, overlay, panel, peek },
    ...{
      people,
      playback,
      portraits,
      previews,
      prompt,
      seen,
      sound,
      state,
      status,
      stills,
      task,
      timeline,
      viewport,
      zoom,
    },
  };
}

/**
 * Asks for the sound as it is drawn, if there is any.
 * @param {string} url
 * @param {(peaks: number[]) => void} take
 */
async function loadSound(url, take) {
  try {
    take((await (await fetchChecked(url)).json()).peaks);
  } catch {
    // A video whose sound cannot be drawn can be reviewed as well; Sign off says what is wrong with it.
  }
}
