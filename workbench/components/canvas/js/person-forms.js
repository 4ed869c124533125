import { element } from "../../shared/dom.js";
import { acceptanceOf, changesOf, openItemsOf, titleOf } from "./people.js";

/**
 * @import { Amendments } from "./amendments.js"
 * @import { Portraits } from "./portraits.js"
 * @import { Prompt } from "./prompt.js"
 * @import { Field } from "./prompt-fields.js"
 * @import { ReviewState } from "./state.js"
 * @import { StatusLine } from "./status-line.js"
 * @import { Action, Person, ReviewItem } from "./types.js"
 */

/** @type {Field} */
const NAME = { name: "reason", label: "Name", type: "text", first: true };

/**
 * @typedef {object} FormParts
 * @property {Amendments} amendments
 * @property {Prompt} prompt
 * @property {StatusLine} status
 * @property {Portraits} portraits
 */

/** Asks what a decision about people, or about many items at once, needs; each shows first what it will decide. */
export class PersonForms {
  /**
   * @param {ReviewState} state
   * @param {FormParts} parts
   */
  constructor(state, { amendments, prompt, status, portraits }) {
    this.state = state;
    this.amendments = amendments;
    this.prompt = prompt;
    this.status = status;
    this.portraits = portraits;
    /** Called with the people who were decided. */
    this.onDecided = () => {};
  }

  /** Says that the masks of the chosen people are right. */
  askMasked() {
    const people = this.begin();
    if (people) {
      const items = people.flatMap((person) => openItemsOf(person, this.state.data.spots));
      this.ask({
        title: `${this.nameAll(people)}: the masks are right.${items.length ? " Untick what is not." : ""}`,
        label: "Masks are right",
        items,
        actions: (chosen) => acceptanceOf(people, chosen),
      });
    }
  }

  /** Takes the masks of the chosen people away, who are no faces. */
  askNotAFace() {
    const people = this.begin();
    if (people) {
      this.ask({
        title: `${this.nameAll(people)}: not a face. This makes the area visible in ${countOf(people)} tracks.`,
        label: "Not a face",
        reason: "Why it is not a face (required)",
        actions: () => changesOf("delete", people),
      });
    }
  }

  /** Keeps the chosen people visible. */
  askVisible() {
    const people = this.begin();
    if (people) {
      this.ask({
        title: `${this.nameAll(people)}: keep visible in ${countOf(people)} tracks. This person will not be masked.`,
        label: "Keep visible",
        reason: "Reason (required)",
        actions: () => changesOf("keep_visible", people),
      });
    }
  }

  /**
   * Confirms many items to check.
   * @param {ReviewItem[]} items
   * @param {string} title
   */
  askItems(items, title) {
    if (this.amendments.mayBegin()) {
      this.ask({ title, label: "Confirm", items, actions: (chosen) => acceptanceOf([], chosen) });
    }
  }

  /** Makes one person of the chosen people. */
  join() {
    const people = this.begin();
    if (people && people.length < 2) {
      this.status.say("Choose two or more cards to join.");
    } else if (people) {
      this.amendments.arrange({ kind: "join", tracks: people.flatMap(({ tracks }) => tracks) });
    }
  }

  /** Asks which tracks of the chosen person are another person. */
  askSplit() {
    const people = this.begin();
    if (!people) {
      return;
    }
    const [person] = people;
    if (people.length > 1 || person.tracks.length < 2) {
      this.status.say("Choose one card with two or more tracks to split.");
      return;
    }
    const ticks = person.tracks.map((track) => {
      const face = person.faces.find((one) => one.track === track);
      const image = face ? this.portraits.image(face.frame, face.box) : null;
      return tick(String(track), false, image, `Track ${track}`);
    });
    this.show("Tick the tracks that are another person.", "Split", ticks, [], () => {
      const tracks = ticked(ticks).map(Number);
      if (!tracks.length || tracks.length === person.tracks.length) {
        return "Tick at least one track, and not all.";
      }
      this.amendments.arrange({ kind: "split", tracks });
      return "";
    });
  }

  /** Asks for the name of the chosen person. */
  askName() {
    const people = this.begin();
    if (people) {
      const [person] = people;
      this.show("Name on the card. It is kept with the run, and not in the release.", "Save", [], [NAME], (text) => {
        this.amendments.arrange({ kind: "name", track: person.tracks[0], name: text("reason") });
        return "";
      });
    }
  }

  /** @returns {Person[] | null} those whom a decision is about; null when there are none, which is said */
  begin() {
    if (!this.amendments.mayBegin()) {
      return null;
    }
    const people = this.state.chosenPeople;
    if (!people.length) {
      this.status.say("Choose a card first: press y.");
      return null;
    }
    return people;
  }

  /**
   * @param {{ title: string, label: string, items?: ReviewItem[], reason?: string,
   *   actions: (items: ReviewItem[]) => Action[] }} question
   */
  ask({ title, label, items = [], reason, actions }) {
    const ticks = items.map((item) => {
      const text = `${item.label}, frame ${item.at}`;
      return tick(item.key, true, this.portraits.image(item.at, item.box), text);
    });
    /** @type {Field[]} */
    const fields = reason ? [{ name: "reason", label: reason, type: "text", first: true, required: true }] : [];
    this.show(title, label, ticks, fields, (text) => {
      const keys = new Set(ticked(ticks));
      const chosen = items.filter((item) => keys.has(item.key));
      this.amendments.sendAll(actions(chosen), text("reason"));
      this.onDecided();
      return "";
    });
  }

  /**
   * @param {string} title
   * @param {string} label
   * @param {HTMLElement[]} ticks
   * @param {Field[]} fields
   * @param {(text: (name: string) => string) => string} save
   */
  show(title, label, ticks, fields, save) {
    const preview = element("div", { className: "preview" }, ...ticks);
    this.prompt.show({
      title,
      label: fields.length ? label : `${label} (Enter)`,
      focus: fields.length > 0,
      fields: [
        ...(ticks.length ? [{ name: "preview", type: /** @type {"preview"} */ ("preview"), preview }] : []),
        ...fields,
      ],
      save: ({ text }) => save(text),
    });
  }

  /** @param {Person[]} people */
  nameAll(people) {
    return people.map((person) => titleOf(person, this.state.people.indexOf(person))).join(", ");
  }
}

/** @param {Person[]} people */
function countOf(people) {
  return people.reduce((sum, { tracks }) => sum + tracks.length, 0);
}

/**
 * @param {string} value
 * @param {boolean} checked
 * @param {HTMLElement | null} image
 * @param {string} text
 */
function tick(value, checked, image, text) {
  const box = element("input", { type: "checkbox", value, checked });
  return element("label", { className: "tick" }, box, image, element("span", {}, text));
}

/** @param {HTMLElement[]} ticks */
function ticked(ticks) {
  return ticks.flatMap((one) => [...one.querySelectorAll("input")]).flatMap((box) => (box.checked ? [box.value] : []));
}
