//! Xerces as Java has it, in one process that answers many questions.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::Opinion;
use crate::needs::has;

/// A running Xerces.
pub(crate) struct Xerces {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Xerces {
    /// Starts it, unless there is no Java here.
    pub(crate) fn start() -> Option<Self> {
        if !has("java") {
            return None;
        }
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/Judge.java");
        // Quick to start and small beside the tests that run with it.
        let options = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m", "-Xss4m"];
        let mut child = Command::new("java")
            .args(options)
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Java starts");
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        Some(Self { child, questions, answers })
    }

    /// Takes a schema that later documents are judged by.
    pub(crate) fn schema(&mut self, schema: &[u8]) -> Opinion {
        match self.ask(b'S', schema) {
            Opinion::Invalid(_, message) => Opinion::Refused(message),
            other @ (Opinion::Accepted | Opinion::Refused(_)) => other,
        }
    }

    /// Judges a document by the last schema, which must have been accepted.
    pub(crate) fn document(&mut self, document: &[u8]) -> Opinion {
        self.ask(b'D', document)
    }

    /// Parses a document, with namespaces and without a schema.
    pub(crate) fn well_formed(&mut self, document: &[u8]) -> Opinion {
        self.ask(b'W', document)
    }

    fn ask(&mut self, kind: u8, bytes: &[u8]) -> Opinion {
        let questions = self.questions.as_mut().expect("it is open until the end");
        let length = u32::try_from(bytes.len()).expect("tests are small").to_be_bytes();
        let question = [&[kind][..], &length, bytes].concat();
        questions.write_all(&question).and_then(|()| questions.flush()).expect("Xerces listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("Xerces answers in UTF-8");
        read(answer.trim_end())
    }
}

impl Drop for Xerces {
    fn drop(&mut self) {
        // The end of the questions ends it.
        self.questions = None;
        let _ = self.child.wait();
    }
}

fn read(answer: &str) -> Opinion {
    let (verdict, message) = answer.split_once('\t').unwrap_or((answer, ""));
    match verdict.split_once(' ') {
        None if verdict == "ok" => Opinion::Accepted,
        Some(("invalid", lines)) => {
            // A fault of no place in particular is on line -1.
            let lines = lines.split(' ').filter_map(|line| line.parse().ok());
            Opinion::Invalid(lines.collect(), message.to_owned())
        }
        _ => {
            assert_eq!(verdict, "fatal", "Xerces is gone");
            Opinion::Refused(message.to_owned())
        }
    }
}
