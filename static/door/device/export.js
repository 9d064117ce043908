// The acts that were not uploaded, as a table for a spreadsheet. Pure.

// What begins like a formula is text for a spreadsheet.
function cell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replace(/"/g, '""')}"`;
}

export function unsentCsv(acts, people, facts) {
  const head = ["at", "act", "name", "code", "tail", "phone", "attendee", "key", "device", "seq"];
  const rows = acts.map((act) => {
    const person = people.get(act.attendee) || act.who || {};
    return [act.at, act.act, act.name || person.name, person.code, person.tail, act.phone,
      act.attendee, act.key, act.origin || facts.device, act.seq];
  });
  return `\ufeff${[head].concat(rows).map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}
