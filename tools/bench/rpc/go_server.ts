// The floor in another language: grpc-go's server with an empty handler, built from a throw-away module.

/** Release of grpc-go that the floor is measured with. */
const GRPC_GO = "v1.83.2";

const SOURCE = `package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

type raw struct{}

func (raw) Name() string                       { return "proto" }
func (raw) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error { *v.(*[]byte) = data; return nil }

type empty struct{}

func main() {
	answer := make([]byte, 700)
	folder := os.Args[1]
	pair, err := tls.LoadX509KeyPair(folder+"/cert.pem", folder+"/key.pem")
	if err != nil {
		panic(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}}
	if os.Args[2] == "mutual" {
		text, _ := os.ReadFile(folder + "/ca.pem")
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AppendCertsFromPEM(text)
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)), grpc.ForceServerCodec(raw{}))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bench.Bench",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{
			MethodName: "Unary",
			Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				var request []byte
				if err := decode(&request); err != nil {
					return nil, err
				}
				return &answer, nil
			},
		}},
	}, empty{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	server.Serve(listener)
}
`;

/** A running server of grpc-go. */
export interface GoServer {
  readonly pid: number;
  readonly port: number;
  end(): Promise<void>;
}

/** Builds the server, or finds it built; undefined with a word where there is no Go, or no module to be had. */
export async function buildGoServer(progress: (text: string) => void): Promise<string | undefined> {
  const folder = `${cacheFolder()}/archipelago/bench-rpc-go-${GRPC_GO}`;
  const binary = `${folder}/server`;
  await Deno.mkdir(folder, { recursive: true });
  const known = await Deno.readTextFile(`${folder}/main.go`).catch(() => "");
  if (known === SOURCE && await Deno.stat(binary).then(() => true, () => false)) return binary;
  try {
    await Deno.writeTextFile(
      `${folder}/go.mod`,
      `module bench\n\ngo 1.25\n\nrequire google.golang.org/grpc ${GRPC_GO}\n`,
    );
    await Deno.writeTextFile(`${folder}/main.go`, SOURCE);
    progress("building grpc-go's server (once)");
    const command = new Deno.Command("nice", {
      args: ["go", "build", "-mod=mod", "-buildvcs=false", "-o", binary, "."],
      cwd: folder,
      stderr: "piped",
    });
    const { success, stderr } = await command.output();
    if (success) return binary;
    await Deno.remove(`${folder}/main.go`);
    progress(`grpc-go left out, it cannot be built: ${new TextDecoder().decode(stderr).trim().split("\n").at(-1)}`);
  } catch (error) {
    progress(`grpc-go left out: ${(error as Error).message}`);
  }
  return undefined;
}

function cacheFolder(): string {
  return Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
}

/** Starts the server on a free port of the loopback. */
export async function startGoServer(binary: string, folder: string, mutual: boolean): Promise<GoServer> {
  const process = new Deno.Command(binary, { args: [folder, mutual ? "mutual" : "tls"], stdout: "piped" }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const port = Number((await reader.read()).value);
  return {
    pid: process.pid,
    port,
    async end() {
      process.kill("SIGKILL");
      await reader.cancel();
      await process.status;
    },
  };
}
