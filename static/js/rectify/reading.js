// What a person says of captions as they stand, and of what is doubtful about them; each can be taken back. All of it
// counts on the screen at once and is sent behind the person's back.

const UNDONE = { accept: "is not accepted any more", flag: "has no flag any more", unflag: "is flagged again" };
const SAVED = "was saved: an earlier version comes back through its history, h.";

export class Reading {
  #done = [];

  /** desk: the page. left: how many captions nobody has read. */
  constructor(desk, left) {
    this.desk = desk;
    this.left = left;
  }

  async accept() {
    const { current: item, saving, readings } = this.desk;
    if (!item) return;
    if (saving.has(item.index)) {
      this.desk.say("You have changed it: Ctrl+Enter saves it, r drops the change.", true);
      return;
    }
    const { caption } = item;
    const id = readings.add(item.index, "accept", { base_version: caption.version });
    this.#done.push({ verb: "accept", index: item.index, id, before: { state: caption.state, own: caption.own } });
    this.count(caption, -1);
    if (caption.state === "unread") Object.assign(caption, { state: "read", own: true });
    await this.desk.next(`${item.name} is accepted.`);
  }

  async flag() {
    const { current: item, saving, readings } = this.desk;
    if (!item) return;
    const { caption } = item;
    if (saving.state(item.index)?.kind === "sending") {
      this.desk.say("Its text is being saved. Flag it in a moment.", true);
      return;
    }
    const verb = caption.flagged ? "unflag" : "flag";
    const id = readings.add(item.index, verb, { base_version: caption.version });
    this.#done.push({ verb, index: item.index, id, before: { flagged: caption.flagged } });
    caption.flagged = !caption.flagged;
    this.desk.head();
    this.desk.say(caption.flagged ? `${item.name} is flagged.` : `${item.name} has no flag any more.`);
  }

  /** Say that the marked finding is none. */
  async dismiss() {
    const { current: item, words, readings } = this.desk;
    const finding = words.marked;
    if (!item || !finding) return;
    const { caption } = item;
    const id = readings.dismiss(item.index, finding.id);
    this.#done.push({ verb: "dismiss", index: item.index, id, finding, before: { findings: caption.findings } });
    caption.findings = caption.findings.filter((other) => other !== finding);
    this.desk.showFindings();
    this.desk.say(`Dismissed: ${finding.message}`);
  }

  async undo() {
    const last = this.#done.pop();
    if (!last) {
      this.desk.say("There is nothing of this visit to undo.", true);
      return;
    }
    await this.desk.goTo(last.index);
    const { current: item, readings } = this.desk;
    if (item?.index !== last.index) return; // it does not load, which was said
    const { name, caption } = item;
    if (last.verb === "save") {
      this.desk.say(`${name} ${SAVED}`, true);
      return;
    }
    if (last.verb === "dismiss") readings.undismiss(last.index, last.finding.id, last.id);
    else readings.add(last.index, "undo", { undoes: last.id });
    Object.assign(caption, last.before);
    if (last.verb === "accept") this.count(caption, 1);
    this.desk.show();
    this.desk.say(last.verb === "dismiss" ? `Undone: it counts again. ${last.finding.message}` : `Undone: ${name} ${UNDONE[last.verb]}.`);
  }

  /** A text was sent to be saved. */
  saves(item) {
    this.count(item.caption, -1);
    this.#done.push({ verb: "save", index: item.index });
  }

  /** One more or one less that nobody has read. */
  count(caption, by) {
    if (caption.state === "unread") this.left = Math.max(0, this.left + by);
  }

  /** The server answered. */
  said({ index, answer }) {
    const item = this.desk.feed.find(index);
    if (!item) return;
    Object.assign(item.caption, { state: answer.state, flagged: answer.flagged });
    if (item === this.desk.current) this.desk.head();
  }

  /** It did not count: the caption is put before the person again. */
  async lost({ index, message, stale }) {
    this.#done = this.#done.filter((done) => done.index !== index);
    this.desk.say(`tile_${index}: ${message}${stale ? " It comes again." : ""}`, true);
    if (!this.desk.feed.find(index)) return;
    this.desk.feed.again(index);
    await this.desk.refresh(index);
  }
}
