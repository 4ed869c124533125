import { markedSpan } from "./marked-range.js";
import { outlinesOf } from "./outlines.js";
import { partsOf } from "./parts.js";

/**
 * @import { Host } from "../../shared/lifecycle.js"
 * @import { ReviewData, Span, Trigger } from "./types.js"
 */

/** Height in pixels of everything on the page but the picture and the filmstrip. */
const REST_OF_PAGE = 330;
const LEAST_HEIGHT = 260;

/** Shows one run, and keeps what is on screen up to date with what the page sends and what a person does. */
export class Review {
  /**
   * @param {Host} host
   * @param {ReviewData} data
   * @param {Trigger} trigger
   */
  constructor(host, data, trigger) {
    this.run = data.run;
    this.root = rootOf(host);
    /** @type {NodeListOf<HTMLButtonElement>} */
    this.amendingButtons = this.root.querySelectorAll(".amending button");
    this.ending = new AbortController();
    this.parts = partsOf(this.root, data, trigger, this.ending.signal);
    /** @type {number | null} the message that was said last */
    this.said = null;
    this.observer = new ResizeObserver(() => this.resized());
    this.listen();
    this.root.focus({ preventScroll: true });
    this.refresh(data);
    this.parts.state.chosen = data.at.track;
    this.parts.navigation.goTo(data.at.frame ?? 0);
  }

  listen() {
    const { display, navigation, prompt, seen, state } = this.parts;
    const { signal } = this.ending;
    state.events.on("changed", () => this.redraw());
    state.events.on("chosen", () => this.redraw());
    state.events.on("heightChanged", () => this.layout());
    state.events.on("frameAsked", (index) => prompt.follow(index));
    state.events.on("framePainted", (index) => {
      seen.add(index);
      this.redraw();
    });
    display.number.addEventListener("change", () => navigation.goTo(Number(display.number.value)), { signal });
    display.number.addEventListener("keydown", (event) => this.leaveNumber(event), { signal });
    window.addEventListener("resize", () => this.layout(), { signal });
    // A link outside reruns the page at once, and what it shows counts what was viewed until then.
    for (const leaving of ["pointerdown", "focusin"]) {
      document.addEventListener(leaving, (event) => this.tellIfOutside(event), { capture: true, signal });
    }
    this.observer.observe(this.root);
  }

  /**
   * Tells which frames were viewed when something outside of the canvas is used.
   * @param {Event} event
   */
  tellIfOutside(event) {
    if (!event.composedPath().includes(this.root)) {
      this.parts.seen.tell();
    }
  }

  /**
   * Gives the keyboard back once a number is entered, or is not wanted.
   * @param {KeyboardEvent} event
   */
  leaveNumber(event) {
    if (event.key === "Enter" || event.key === "Escape") {
      const { display, state } = this.parts;
      if (event.key === "Escape") {
        display.number.value = String(state.index);
      }
      event.preventDefault();
      this.root.focus({ preventScroll: true }); // what was entered is told as a change
    }
  }

  /**
   * Takes over what the page sends.
   * @param {ReviewData} data
   * @param {Trigger} trigger
   */
  update(data, trigger) {
    const { amendments, display, state } = this.parts;
    amendments.trigger = trigger;
    state.receive(data);
    this.refresh(data);
    // While the video plays, the next frame comes with what is new; another request would end the playing.
    if (!state.playing) {
      display.show(state.index);
    }
  }

  /** @param {ReviewData} data */
  refresh(data) {
    const { amendments, frames, panel, people, status, timeline } = this.parts;
    frames.use(data.revision);
    people.refresh();
    timeline.update(data);
    panel.draw();
    for (const button of this.amendingButtons) {
      button.disabled = !data.rights.amend;
      if (!data.rights.amend) {
        button.title = data.rights.why;
      }
    }
    if (data.message && data.message.serial !== this.said) {
      this.said = data.message.serial;
      status.say(data.message.text, data.message.bad);
      amendments.remember(data.message.numbers);
      this.chooseAdded(data);
    }
    panel.mark();
    this.layout();
  }

  /**
   * Chooses the face that has just been added, so that it can be extended or moved at once.
   * @param {ReviewData} data
   */
  chooseAdded({ amendments, message }) {
    const added = amendments.find(({ number, kind }) => kind === "add" && number === message?.numbers[0]);
    if (added && message?.numbers.length === 1) {
      this.parts.state.choose(added.track);
    }
  }

  /** Fits everything to the width of the page and to the height of the window. */
  layout() {
    const { filmstrip, viewport } = this.parts;
    const width = viewport.availableWidth;
    if (width) {
      viewport.layout(width, Math.max(LEAST_HEIGHT, window.innerHeight - REST_OF_PAGE - filmstrip.height));
      this.redraw();
    }
  }

  resized() {
    this.layout();
    this.parts.filmstrip.fit();
  }

  /** Draws everything that a step or a choice may change. */
  redraw() {
    const { details, editor, overlay, panel, seen, state, timeline, viewport } = this.parts;
    viewport.paint();
    overlay.draw(outlinesOf(state));
    timeline.draw(state.index, {
      seen: seen.flags,
      chosen: state.chosen,
      spot: state.itemKey,
      asked: editor.askedRange() ?? shownSpan(markedSpan(state)),
    });
    panel.drawProgress();
    details.draw();
  }

  /** Stops everything, and lets go of what it holds. */
  end() {
    const { address, filmstrip, navigation, peek, playback, task, portraits, previews, seen, state, stills } =
      this.parts;
    const { sound, viewport, zoom } = this.parts;
    this.ending.abort();
    this.observer.disconnect();
    for (const timed of [address, filmstrip, navigation, peek, task, zoom]) {
      timed.end();
    }
    playback.pause();
    state.latestRequest += 1; // what is still being loaded is out of date
    seen.end();
    portraits.end();
    previews.end();
    sound.end();
    stills.clear();
    viewport.show(null, null);
  }
}

/**
 * Finds the root of the canvas in what Streamlit hands over.
 * @param {Host} host
 * @returns {HTMLElement}
 */
function rootOf(host) {
  const root = host.querySelector(".review");
  if (!(root instanceof HTMLElement)) {
    throw new Error("The component has no review canvas.");
  }
  return root;
}

/**
 * Gives a range as its first and last frame.
 * @param {Span | null} span
 * @returns {Span | null}
 */
function shownSpan(span) {
  return span && [span[0], span[1] - 1];
}
