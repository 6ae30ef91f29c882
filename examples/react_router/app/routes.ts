import { index, route, type RouteConfig } from "@react-router/dev/routes";

export default [
  index("routes/home.tsx"),
  route("name", "routes/name.ts"),
  route("leave", "routes/leave.ts"),
] satisfies RouteConfig;
