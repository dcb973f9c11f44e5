/** Files of GPU drivers: fetched from outside, checked, kept, and handed out for a while. */
export { type DriverFiles, fetchFrom, folderFiles } from "./driver_files.ts";
