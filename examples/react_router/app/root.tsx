import { session } from "@satchel/session/middleware/react-router";
import { Links, Meta, Outlet, Scripts } from "react-router";
import { sessionContext, sessionStorage } from "./sessions.server";

// The middleware loads each request's session, and commits it once after all loaders and actions.
export const middleware = [
  session(sessionStorage, { context: sessionContext }),
];

export default function Root() {
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <title>Visits</title>
        <Meta />
        <Links />
      </head>
      <body>
        <Outlet />
        <Scripts />
      </body>
    </html>
  );
}
