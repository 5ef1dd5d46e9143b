-- synthetic, made up for the tests of aca_core; not from flight

CREATE TABLE aspect_1_proc (
  aspect_1_id     int not null,
  obsid           int not null,
  obi             int not null,
  revision        int ,
  ap_date         text ,
  isdefault       int ,
  obspar_version  int ,
  vv_complete     int not null default 0,
  CONSTRAINT pk_archfiles PRIMARY KEY (aspect_1_id)
);

INSERT INTO aspect_1_proc VALUES (20000, 1, 0, 4, 'Mar  4 2012  5:06AM', 1, 4, 4);
INSERT INTO aspect_1_proc VALUES (20001, 36, 0, 1, 'Mar  4 2012  5:06AM', NULL, 1, 4);
INSERT INTO aspect_1_proc VALUES (20002, 2121, 0, 2, 'Mar  4 2012  5:06AM', NULL, 2, 4);
INSERT INTO aspect_1_proc VALUES (20003, 2121, 0, 3, 'Mar  4 2012  5:06AM', 1, 3, 4);
INSERT INTO aspect_1_proc VALUES (20004, 2121, 0, 4, 'Mar  4 2012  5:06AM', NULL, 4, 4);
INSERT INTO aspect_1_proc VALUES (20005, 3001, 0, 1, 'Mar  4 2012  5:06AM', NULL, 1, 4);
INSERT INTO aspect_1_proc VALUES (20006, 3002, 0, 1, 'Mar  4 2012  5:06AM', 1, 1, 4);
INSERT INTO aspect_1_proc VALUES (20007, 3003, 0, 1, 'Mar  4 2012  5:06AM', 1, 1, 4);
INSERT INTO aspect_1_proc VALUES (20008, 3004, 0, 1, 'Mar  4 2012  5:06AM', 1, 1, 4);
INSERT INTO aspect_1_proc VALUES (20009, 3005, 0, 1, 'Mar  4 2012  5:06AM', 1, 1, 4);
INSERT INTO aspect_1_proc VALUES (20010, 3006, 0, 1, 'Mar  4 2012  5:06AM', 1, 1, 4);
INSERT INTO aspect_1_proc VALUES (20011, 3006, 0, 2, 'Mar  4 2012  5:06AM', NULL, 2, 4);
INSERT INTO aspect_1_proc VALUES (20012, 3007, 0, 1, 'Mar  4 2012  5:06AM', 1, 1, 4);
INSERT INTO aspect_1_proc VALUES (20013, 3007, 0, 2, 'Mar  4 2012  5:06AM', 1, 2, 4);
INSERT INTO aspect_1_proc VALUES (20014, 3008, 0, 1, 'Mar  4 2012  5:06AM', 1, 1, 4);
INSERT INTO aspect_1_proc VALUES (20015, 3009, 0, 1, 'Mar  4 2012  5:06AM', NULL, 1, 4);
INSERT INTO aspect_1_proc VALUES (20016, 3009, 0, 2, 'Mar  4 2012  5:06AM', 1, 2, 4);
INSERT INTO aspect_1_proc VALUES (20017, 3010, 0, 1, 'Mar  4 2012  5:06AM', 1, 1, 4);
INSERT INTO aspect_1_proc VALUES (20018, 6000, 0, 2, 'Mar  4 2012  5:06AM', 1, 2, 4);
INSERT INTO aspect_1_proc VALUES (20019, 6000, 0, 3, 'Mar  4 2012  5:06AM', NULL, 3, 4);
INSERT INTO aspect_1_proc VALUES (20020, 6001, 0, 1, 'Mar  4 2012  5:06AM', NULL, 1, 4);
INSERT INTO aspect_1_proc VALUES (20021, 29878, 0, 1, 'Mar  4 2012  5:06AM', 1, 1, 4);
