/**
 * Storages, sessions and cookies of this library have the types of React Router's and Remix's, so that companions of
 * those take them. What matters is that this file compiles.
 */
import { assertEquals } from "@std/assert";
import type * as remix from "npm:@remix-run/node@2.17.5";
import type * as router7 from "npm:react-router@7.18.7";
import type * as router8 from "react-router";
import {
  type Cookie,
  createCookie,
  createCookieSessionStorage,
  createMemorySessionStorage,
  createSession,
  createSessionStorage,
  type Session,
  type SessionIdStorageStrategy,
  type SessionStorage,
} from "../mod.ts";

interface Data {
  userId: string;
}

interface Flash {
  notice: string;
}

const cookie = { secrets: ["s3cr3t"] };

const storages: SessionStorage[] = [
  createMemorySessionStorage(),
  createCookieSessionStorage({ cookie }),
  createSessionStorage({
    createData: async () => "1",
    readData: async () => null,
    updateData: async () => {},
    deleteData: async () => {},
  }),
];

Deno.test("a storage is a SessionStorage of React Router and Remix", () => {
  const [storage = createMemorySessionStorage()] = storages;
  const peers: [
    router8.SessionStorage,
    router7.SessionStorage,
    remix.SessionStorage,
  ] = [storage, storage, storage];
  const own = createMemorySessionStorage<Data, Flash>();
  const typed: [
    router8.SessionStorage<Data, Flash>,
    router7.SessionStorage<Data, Flash>,
    remix.SessionStorage<Data, Flash>,
  ] = [own, own, own];
  assertEquals([peers.length, typed.length], [3, 3]);
});

Deno.test("a strategy of React Router and Remix creates a storage", () => {
  const create = (strategy: SessionIdStorageStrategy<Data, Flash>) =>
    createSessionStorage(strategy);
  const back = (
    theirs:
      | router8.SessionIdStorageStrategy<Data, Flash>
      | router7.SessionIdStorageStrategy<Data, Flash>
      | remix.SessionIdStorageStrategy<Data, Flash>,
  ) => create(theirs);
  assertEquals(typeof back, "function");
});

Deno.test("a session is a Session of React Router and Remix", () => {
  const session: Session = createSession();
  const peers: [router8.Session, router7.Session, remix.Session] = [
    session,
    session,
    session,
  ];
  const own = createSession<Data, Flash>();
  const typed: [
    router8.Session<Data, Flash>,
    router7.Session<Data, Flash>,
    remix.Session<Data, Flash>,
  ] = [own, own, own];
  assertEquals([peers.length, typed.length], [3, 3]);
});

Deno.test("a cookie is a Cookie of React Router and Remix, and theirs is one of this library's", () => {
  const cookie: Cookie = createCookie("theme");
  const peers: [router8.Cookie, router7.Cookie, remix.Cookie] = [
    cookie,
    cookie,
    cookie,
  ];
  const back = (
    theirs: router8.Cookie | router7.Cookie | remix.Cookie,
  ): Cookie => theirs;
  assertEquals([peers.length, typeof back], [3, "function"]);
});

Deno.test("companions of React Router and Remix take a storage", () => {
  const [storage = createMemorySessionStorage()] = storages;
  const take = (
    toast: typeof import("npm:remix-toast@4.0.0"),
    themes: typeof import("npm:remix-themes@2.0.4"),
    i18n: typeof import("npm:remix-i18next@7.5.0/middleware"),
    utils: typeof import("npm:remix-utils@9.3.1/middleware/session"),
    auth: typeof import("npm:remix-auth@3.7.0"),
  ) => {
    toast.createToastUtilsWithCustomSession(storage);
    toast.getToast(new Request("http://localhost/"), storage);
    themes.createThemeSessionResolver(storage);
    i18n.createI18nextMiddleware({
      detection: {
        supportedLanguages: ["en"],
        fallbackLanguage: "en",
        sessionStorage: storage,
        cookie: createCookie("locale"),
      },
    });
    utils.createSessionMiddleware(storage);
    return new auth.Authenticator(storage);
  };
  const refuse = (
    toast: typeof import("npm:remix-toast@4.0.0"),
    themes: typeof import("npm:remix-themes@2.0.4"),
    i18n: typeof import("npm:remix-i18next@7.5.0/middleware"),
    utils: typeof import("npm:remix-utils@9.3.1/middleware/session"),
    auth: typeof import("npm:remix-auth@3.7.0"),
  ) => {
    // @ts-expect-error not a storage
    toast.createToastUtilsWithCustomSession({});
    // @ts-expect-error not a storage
    themes.createThemeSessionResolver({});
    // @ts-expect-error not a storage
    i18n.createI18nextMiddleware({ detection: { sessionStorage: {} } });
    // @ts-expect-error not a storage
    utils.createSessionMiddleware({});
    // @ts-expect-error not a storage
    return new auth.Authenticator({});
  };
  assertEquals([typeof take, typeof refuse], ["function", "function"]);
});
