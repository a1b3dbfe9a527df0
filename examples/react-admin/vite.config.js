import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The port is part of the origin and of the sign-in addresses that the API knows: take no other one.
const server = { host: "127.0.0.1", port: 5173, strictPort: true };

export default defineConfig({
  plugins: [react()],
  server,
  preview: server,
  build: { chunkSizeWarningLimit: 2000 },
});
