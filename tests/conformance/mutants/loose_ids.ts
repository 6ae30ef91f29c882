import { bound } from "./_bound.ts";
import { type Defect, memory, type Mutant, mutant } from "./_mutant.ts";

/** Rules whose made-up cookies are patterns. */
const PATTERN: Mutant["also"] = {
  "HOSTILE-01": "one of its made-up cookies is a pattern",
};

/** A comparison of ids, and the first twin that it takes for the id. */
interface Loose {
  readonly name: string;
  readonly reason: string;
  readonly also?: Mutant["also"];
  /** As `also`, where it is bound to a cookie that only headers read too. */
  readonly always?: Mutant["also"];
  /** As `also`, where it is not bound to a cookie. */
  readonly onlyValues?: Mutant["also"];
  readonly defect: Defect;
}

/** Rules that compare an id with that of the storage within. */
const BY_ID: Mutant["also"] = {
  "OWNER-05": "it spares a session by its id",
  "OWNER-12": "it marks a session by its id",
  "OWNER-13": "it ends a session by its id",
};

/** Rules about a browser with several cookies. */
const BOUND: Mutant["also"] = {
  "COOKIE-01": "of several cookies it reads the first one",
  "COOKIE-03": "of several cookies it reads the first one",
};

const loose: readonly Loose[] = [
  {
    name: "ids are compared without regard to case, as by default in MySQL",
    reason: "in small letters reads the same session",
    defect: folding((id) => id.toLowerCase()),
  },
  {
    name: "spaces after an id are ignored, as in a CHAR column",
    reason: "with a space after it reads the same session",
    defect: folding((id) => id.replace(/ +$/, "")),
  },
  {
    name: "an id is trimmed",
    reason: "with a space after it reads the same session",
    defect: folding((id) => id.trim()),
  },
  {
    name: "an id ends at a NUL",
    reason: "with a NUL after it reads the same session",
    onlyValues: {
      "HOSTILE-01": "one of its made-up cookies has a NUL at its end",
    },
    defect: folding((id) => id.replace(/\0.*/s, "")),
  },
  {
    name: "an id is decoded once more",
    reason: "percent-encoded reads the same session",
    defect: folding((id) => {
      try {
        return decodeURIComponent(id);
      } catch {
        return id;
      }
    }),
  },
  {
    name: "ids are compared as a database compares words",
    reason: "in full-width letters reads the same session",
    defect: folding((id) => id.normalize("NFKC")),
  },
  {
    name:
      "ids are compared without regard to accents, as in utf8mb4_0900_ai_ci",
    reason: "with accents reads the same session",
    defect: folding((id) => id.normalize("NFD").replace(/\p{M}/gu, "")),
  },
  {
    name: "characters that are not seen are ignored",
    reason: "with a soft hyphen after it reads the same session",
    defect: folding((id) => id.replace(/[\u00ad\u200b\ufeff]/g, "")),
  },
  {
    name: "the column of the id is too short, and cuts it",
    reason: "without its last character reads the same session",
    onlyValues: {
      "HOSTILE-01": "one of its made-up cookies has a letter more",
    },
    defect: folding((id) => id.slice(0, 20)),
  },
  {
    name: "an id is found by LIKE",
    reason: "that is the pattern % reads the same session",
    also: PATTERN,
    defect: matching((id) =>
      new RegExp(
        `^${escaped(id).replaceAll("%", ".*").replaceAll("_", ".")}$`,
        "s",
      )
    ),
  },
  {
    name: "an id is found by KEYS of Redis",
    reason: "that is the pattern * reads the same session",
    also: PATTERN,
    always: {
      "HOSTILE-02": "one of its paths is a pattern",
    },
    defect: matching((id) =>
      new RegExp(
        `^${escaped(id).replaceAll("\\*", ".*").replaceAll("\\?", ".")}$`,
        "s",
      )
    ),
  },
];

/** Ids that are numbers, by which a database finds more than one text. */
const numbers: readonly Loose[] = [
  {
    name: "ids are numbers, and are compared as numbers",
    reason: "with a space after it reads the same session",
    always: BY_ID,
    defect: numbered((text) => /^\s*\+?(\d+)(\.0*)?(e0)?\s*$/.exec(text)?.[1]),
  },
  {
    name: "ids are numbers, and text after one is ignored, as in MySQL",
    reason: "with another character after it reads the same session",
    always: BY_ID,
    onlyValues: {
      "HOSTILE-01": "one of its made-up cookies has a letter more",
    },
    defect: numbered((text) => /^\s*(\d+)/.exec(text)?.[1]),
  },
];

const WAYS = {
  read: "bound to a signed cookie",
  cookieFor: "bound to a signed cookie, without read",
};

/** Each on a storage of values, and on two that are bound to a signed cookie. */
export const looseIds: readonly Mutant[] = [...loose, ...numbers].flatMap(
  ({ name, reason, also = {}, always = {}, onlyValues = {}, defect }) => [
    mutant("ISO-05", {
      name,
      reason,
      also: { ...always, ...also, ...onlyValues },
      defect,
    }),
    ...(["read", "cookieFor"] as const).map((way) =>
      mutant("ISO-05", {
        name: `${name}, ${WAYS[way]}`,
        reason,
        also: { ...always, ...way === "read" ? also : {}, ...BOUND },
        target: bound(memory(name, defect), way),
      })
    ),
  ],
);

/** Treats ids of one form as the same id. */
function folding(fold: (id: string) => string): Defect {
  return (at) => {
    const ids = new Map<string, string>();
    return {
      storage: {
        read: (value) =>
          at.storage.read(value && (ids.get(fold(value)) ?? value)),
        async save(session, options) {
          const id = await at.storage.save(session, options);
          if (id) ids.set(fold(id), id);
          return id;
        },
      },
    };
  };
}

/** An id is a number in decimal digits; `read` finds the digits in a text. */
function numbered(digitsOf: (text: string) => string | undefined): Defect {
  return (at) => ({
    storage: {
      read(value) {
        const digits = value === null ? undefined : digitsOf(value);
        return at.storage.read(
          digits === undefined ? value : fromDecimal(digits),
        );
      },
      async save(session, options) {
        const id = await at.storage.save(session, options);
        return id && toDecimal(id);
      },
    },
    session: (real) => ({
      get id() {
        return toDecimal(real.id);
      },
    }),
  });
}

const DIGITS =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** A 1 in front keeps the length of the id. */
function toDecimal(id: string): string {
  let number = 1n;
  for (const digit of id) number = number * 64n + BigInt(DIGITS.indexOf(digit));
  return `${number}`;
}

function fromDecimal(decimal: string): string {
  let out = "";
  for (let number = BigInt(decimal); number > 1n; number /= 64n) {
    out = DIGITS.charAt(Number(number % 64n)) + out;
  }
  return out;
}

/** Takes an id for a pattern. */
function matching(patternOf: (id: string) => RegExp): Defect {
  return (at) => {
    const ids = new Set<string>();
    return {
      storage: {
        read(value) {
          if (value === null) return at.storage.read(value);
          const pattern = patternOf(value);
          const found = ids.has(value)
            ? value
            : [...ids].findLast((id) => pattern.test(id));
          return at.storage.read(found ?? value);
        },
        async save(session, options) {
          const id = await at.storage.save(session, options);
          if (id) ids.add(id);
          return id;
        },
      },
    };
  };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
