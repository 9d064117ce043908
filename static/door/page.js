// The screen of the door. Not drawn yet: until then the page below stays in sight.

export function start() {}
