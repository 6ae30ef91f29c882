import { type ActionFunctionArgs, redirect } from "react-router";
import { sessionContext } from "../sessions.server";

export async function action({ context, request }: ActionFunctionArgs) {
  // Anyone can post anything: JSON instead of a form, or a file as the name.
  const form = await request.formData().catch(() => undefined);
  const name = form?.get("name");
  if (typeof name !== "string" || !name) {
    throw new Response("Bad request", { status: 400 });
  }
  const session = context.get(sessionContext);
  session.restart({ keep: ["visits"] });
  session.set("name", name.slice(0, 40));
  session.flash("notice", "Your name is kept.");
  return redirect("/", 303);
}
