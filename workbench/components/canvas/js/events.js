/**
 * Tells those who listen what has happened, in the order in which they began to listen.
 * @template {object} Payloads what each event carries, by its name
 */
export class Events {
  constructor() {
    /** @type {Map<keyof Payloads, ((payload: any) => void)[]>} */
    this.listeners = new Map();
  }

  /**
   * Calls a listener at every event of a name.
   * @template {keyof Payloads} Name
   * @param {Name} name
   * @param {(payload: Payloads[Name]) => void} listener
   */
  on(name, listener) {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
  }

  /**
   * Tells of an event.
   * @template {keyof Payloads} Name
   * @param {Name} name
   * @param {Payloads[Name]} payload
   */
  emit(name, payload) {
    for (const listener of this.listeners.get(name) ?? []) {
      listener(payload);
    }
  }
}
