/**
 * The layout of a record in Redis, and the scripts that compare its version.
 *
 * Importing this file makes nothing: an application that does not use Redis can leave all of it out of its bundle.
 *
 * @module
 */

// A record is a string: its version (which the writer makes), its deadline, padded with spaces, and its text. It is not
// a hash, because the commands for strings are the cheapest, and a string takes a third less memory.
/** The length of a version. */
export const VERSION = 16;
/** The greatest length of a number as text. */
export const DEADLINE = 24;
/** The length of a version and a deadline. */
export const HEAD = 40;

/** Any version. */
export const ANY = "*";
/** The version of a record that does not exist. */
export const ABSENT = "";
/** The version of a value that another program wrote. */
export const FOREIGN = "!";

/** A script that returns 1, or 0 if the version is another one. */
export interface Script {
  readonly text: () => string;
  /** The SHA-1 of the text: how a server calls a script that it knows. */
  readonly digest: string;
}

// Each script has one key, so that any node of a cluster can run it. A script reads only the version, which is empty if
// the record does not exist. For a value that another program wrote, the script uses `!` as the version. Numbers are
// written as texts: for a number, the server would take a microsecond more.
const checked = () => `
local v = redis.pcall('GETRANGE', KEYS[1], '0', '${VERSION - 1}')
if v ~= ARGV[1] then
  if type(v) == 'table' then
    if not string.find(v.err, 'WRONGTYPE', 1, true) then return v end
    v = '${FOREIGN}'
  elseif v ~= '' and (#v < ${VERSION} or string.find(v, '[^%w_-]')) then
    v = '${FOREIGN}'
  end
`;

/** Writes a record. Arguments: the expected version, the record, and for how many milliseconds. */
export const WRITE: Script = {
  // A client that lost an answer with its connection may send the command again: the script then finds the new version.
  text: () =>
    `${checked()}
  if v == string.sub(ARGV[2], 1, ${VERSION}) then return 1 end
  if v ~= ARGV[1] then return 0 end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`,
  digest: "a09adb9590d5f85e77a45bacd2fabf42e77d7e74",
};

/** Deletes a record. Argument: the expected version. */
export const DELETE: Script = {
  text: () =>
    `${checked()}
  if v ~= ARGV[1] then return 0 end
end
redis.call('DEL', KEYS[1])
return 1
`,
  digest: "b178c486a5b53ba32624a3afd0ef68a14660a1bf",
};

/** Moves a deadline. Arguments: the expected version or any, the deadline, and for how many milliseconds. */
export const TOUCH: Script = {
  text: () =>
    `${checked()}
  if ARGV[1] ~= '${ANY}' then return 0 end
end
if #v < ${VERSION} then return 0 end
local e = redis.call('GETRANGE', KEYS[1], '${VERSION}', '${HEAD - 1}')
if not tonumber(e) then return 0 end
redis.call('SETRANGE', KEYS[1], '${VERSION}', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`,
  digest: "fc1c9e6c38e868f74a8f622e482e648caafac1aa",
};
