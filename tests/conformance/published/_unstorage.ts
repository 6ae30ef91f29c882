/** What the targets of unstorage have in common: a prefix is a namespace. */
import {
  createStorage,
  type Driver,
  prefixStorage,
} from "npm:unstorage@1.17.6";
import { fromUnstorage, type StorageLike } from "../../../conformance/mod.ts";

/** A storage over a driver. */
export function storageOver(
  driver: Driver,
  namespace: string,
): StorageLike {
  return fromUnstorage(prefixStorage(createStorage({ driver }), namespace));
}
