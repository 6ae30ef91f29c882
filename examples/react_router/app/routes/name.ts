import { type ActionFunctionArgs, redirect } from "react-router";
import { sessionContext } from "../sessions.server";

export async function action({ context, request }: ActionFunctionArgs) {
  const form = await request.formData();
  const session = context.get(sessionContext);
  session.regenerateId();
  session.set("name", String(form.get("name")).slice(0, 40));
  session.flash("notice", "Your name is kept.");
  return redirect("/", 303);
}
