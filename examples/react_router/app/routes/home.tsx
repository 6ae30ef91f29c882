import { Form, type LoaderFunctionArgs, useLoaderData } from "react-router";
import { sessionContext } from "../sessions.server";

export function loader({ context }: LoaderFunctionArgs) {
  const session = context.get(sessionContext);
  session.set("visits", (session.get("visits") ?? 0) + 1);
  return {
    name: session.get("name") ?? "stranger",
    visits: session.get("visits") ?? 1,
    notice: session.get("notice"),
  };
}

export default function Home() {
  const { name, visits, notice } = useLoaderData<typeof loader>();
  return (
    <main>
      {notice && <p role="status">{notice}</p>}
      <p>{`Hello ${name}, this is visit ${visits}.`}</p>
      <Form method="post" action="/name">
        <label>
          Your name <input name="name" required />
        </label>{" "}
        <button>Keep it</button>
      </Form>
      <Form method="post" action="/leave">
        <button>Forget me</button>
      </Form>
    </main>
  );
}
